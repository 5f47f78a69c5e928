# METADATA
# title: Who may call which API
# description: Reading is allowed, except below /hr/, which needs the role hr_access.
package httpapi.authz

default allow := false

allow if {
	input.method == "GET"
	not sensitive_path
}

# Compared without regard to case: a server that does not tell /HR/ from /hr/ must not be reached through the difference.
sensitive_path if {
	startswith(lower(input.path), "/hr/")
	not has_role("hr_access")
}

sensitive_path if {
	lower(input.path) == "/hr"
	not has_role("hr_access")
}

has_role(role) if {
	some held in input.user.roles
	held == role
}
