package agent_gateway_test

import data.agent_gateway

test_a_plain_get_is_allowed_and_names_its_rule if {
	decision := agent_gateway.decision with input.method as "GET"
		with input.path as "/reports/1"
		with input.user as {"id": "alice", "email": "alice@example.com", "roles": []}
	decision.allowed == true
	decision.policy_id == "httpapi.authz/allow"
}

test_a_missing_role_is_named if {
	decision := agent_gateway.decision with input.method as "GET"
		with input.path as "/hr/salaries"
		with input.user as {"id": "alice", "email": "alice@example.com", "roles": ["engineer"]}
	decision.allowed == false
	decision.code == "role_missing"
}

test_content_is_judged_before_the_path if {
	decision := agent_gateway.decision with input.method as "GET"
		with input.path as "/hr/salaries"
		with input.body_contains_file as true
		with input.user as {"id": "alice", "email": "alice@example.com", "roles": ["engineer"]}
	decision.allowed == false
	decision.policy_id == "httpapi.dlp/deny"
	decision.reason == "local file content blocked for user alice@example.com"
}

test_what_no_rule_allows_is_denied if {
	decision := agent_gateway.decision with input.method as "DELETE"
		with input.path as "/reports/1"
		with input.user as {"id": "alice", "email": "alice@example.com", "roles": ["hr_access"]}
	decision.allowed == false
	decision.policy_id == "agent_gateway/default"
}

test_nothing_at_all_is_denied if {
	agent_gateway.decision.allowed == false
}
