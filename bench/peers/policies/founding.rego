# The policies in rego/, written for opa-envoy-plugin: the same rules over its input, and the token verified in Rego,
# which authz_service does before it asks its policy. data.jwks is the issuer's key set, as text.
package agent_gateway

default decision := {
	"allowed": false,
	"policy_id": "agent_gateway/default",
	"code": "not_allowed",
	"reason": "no rule allows this request",
}

decision := {
	"allowed": false,
	"http_status": 401,
	"code": "token_invalid",
	"reason": "no valid token",
} if {
	not claims
} else := {
	"allowed": false,
	"policy_id": "httpapi.dlp/deny",
	"code": "content_denied",
	"reason": concat("; ", sort(deny)),
} if {
	count(deny) > 0
} else := {
	"allowed": true,
	"policy_id": "httpapi.authz/allow",
	"code": "allowed",
	"reason": "allowed by the API rules",
} if {
	allow
} else := {
	"allowed": false,
	"policy_id": "httpapi.authz/sensitive_path",
	"code": "role_missing",
	"reason": "this path needs the role hr_access",
} if {
	sensitive_path
}

http := input.attributes.request.http

claims := verified[2] if {
	startswith(http.headers.authorization, "Bearer ")
	token := substring(http.headers.authorization, 7, -1)
	verified := io.jwt.decode_verify(token, {
		"cert": data.jwks,
		"alg": "RS256",
		"iss": "https://idp.example",
		"aud": "agent-gateway",
	})
	verified[0]
}

default allow := false

allow if {
	http.method == "GET"
	not sensitive_path
}

path := split(http.path, "?")[0]

sensitive_path if {
	startswith(lower(path), "/hr/")
	not has_role("hr_access")
}

sensitive_path if {
	lower(path) == "/hr"
	not has_role("hr_access")
}

has_role(role) if {
	some held in claims.roles
	held == role
}

# authz_service looks for these and more in every body before it asks its policy, which reads body_contains_file.
deny contains message if {
	regex.match(`(?i)file:/+[a-z0-9._~%-]|data:[a-z]+/[^,]*;base64,|(?:^|[^a-z0-9])~/[a-z0-9._-]`, http.body)
	not has_role("allow_local_file_use")
	message := sprintf("local file content blocked for user %v", [caller])
}

default caller := "unknown"

caller := claims.email
