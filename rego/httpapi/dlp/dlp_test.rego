package httpapi.dlp_test

import data.httpapi.dlp

test_a_body_without_files_passes if {
	count(dlp.deny) == 0 with input.body_contains_file as false with input.user.roles as []
}

test_local_file_content_is_blocked if {
	dlp.deny["local file content blocked for user alice@example.com"] with input.body_contains_file as true
		with input.user as {"email": "alice@example.com", "roles": ["engineer"]}
}

test_the_permission_lets_it_pass if {
	count(dlp.deny) == 0 with input.body_contains_file as true
		with input.user as {"email": "alice@example.com", "roles": ["allow_local_file_use"]}
}

test_nobody_is_blocked_too if {
	dlp.deny["local file content blocked for user unknown"] with input.body_contains_file as true
}
