"""A policy of 200 rules, one for each endpoint of an API: the same rules for both sides. Pure.

Only where the claims come from differs: authz_service has verified the token before it asks, opa-envoy-plugin verifies
it in Rego.
"""

from __future__ import annotations

from bench.peers.tokens import AUDIENCE, ISSUER

RULES = 200
METHODS = ("GET", "POST", "PUT", "DELETE")
GET_RULE, POST_RULE = RULES - 4, RULES - 3  # near the end, each with its method

OURS = """claims := input.identity.claims
"""

THEIRS = f"""claims := verified[2] if {{
	authorization := input.attributes.request.http.headers.authorization
	startswith(authorization, "Bearer ")
	token := substring(authorization, 7, -1)
	verified := io.jwt.decode_verify(token, {{
		"cert": data.jwks,
		"alg": "RS256",
		"iss": "{ISSUER}",
		"aud": "{AUDIENCE}",
	}})
	verified[0]
}}
"""


def policy(claims: str) -> str:
    """The rules as Rego; `claims` is `OURS` or `THEIRS`."""
    rules = "\n".join(_rule(number) for number in range(RULES))
    return f"package api\n\ndefault allow := false\n\n{claims}\n{rules}"


def path(number: int) -> str:
    """A path that a rule takes."""
    return f"/v1/things-{number}/acme"


def _rule(number: int) -> str:
    # Written so that OPA's index finds the one rule of a request: equalities over the input itself.
    return f"""allow if {{
	input.attributes.request.http.method == "{METHODS[number % len(METHODS)]}"
	input.parsed_path[0] == "v1"
	input.parsed_path[1] == "things-{number}"
	input.parsed_path[2] == claims.tenant
	"scope-{number}" in claims.scopes
}}
"""
