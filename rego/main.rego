# METADATA
# title: The decision
# description: |
#   What the gateway asks. A request passes when the API rules allow it and no rule about its content denies it.
#   The answer names the rule that decided (policy_id) and, where it says no, a code and a reason for the caller.
# entrypoint: true
package agent_gateway

import data.httpapi.authz
import data.httpapi.dlp

default decision := {
	"allowed": false,
	"policy_id": "agent_gateway/default",
	"code": "not_allowed",
	"reason": "no rule allows this request",
}

decision := {
	"allowed": false,
	"policy_id": "httpapi.dlp/deny",
	"code": "content_denied",
	"reason": concat("; ", sort(dlp.deny)),
} if {
	count(dlp.deny) > 0
} else := {
	"allowed": true,
	"policy_id": "httpapi.authz/allow",
	"code": "allowed",
	"reason": "allowed by the API rules",
} if {
	authz.allow
} else := {
	"allowed": false,
	"policy_id": "httpapi.authz/sensitive_path",
	"code": "role_missing",
	"reason": "this path needs the role hr_access",
} if {
	authz.sensitive_path
}
