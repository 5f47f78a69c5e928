"""The policies that the engine is measured on, each with an input and its decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authz_service.policy.sources import PolicySources, read_sources

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Policy:
    """Sources, the rule to ask for, an input, and what the rule's value must be."""

    name: str
    sources: PolicySources
    rule: str
    document: Mapping[str, Any]
    expected: Any


def founding() -> Policy:
    """The policies that ship."""
    document = {
        "method": "GET", "path": "/reports/q3", "body_contains_file": False,
        "user": {"id": "alice", "email": "alice@company.example", "roles": ["engineer", "reader"]},
    }  # fmt: skip
    expected = {
        "allowed": True, "policy_id": "httpapi.authz/allow", "code": "allowed", "reason": "allowed by the API rules",
    }  # fmt: skip
    return Policy("founding policies", read_sources([ROOT / "rego"]), "agent_gateway/decision", document, expected)


def rbac(roles: int = 1_000) -> Policy:
    """Roles with permissions in the data document, as an organisation's directory exports them."""
    text = """package rbac

default allow := false

allow if {
	some role in input.user.roles
	some permission in data.roles[role].permissions
	permission.action == input.action
	permission.object == input.object
}
"""
    data = {
        "roles": {
            f"role-{number}": {
                "permissions": [
                    {"action": action, "object": f"object-{number % 97}"} for action in ("read", "write", "list")
                ]
            }
            for number in range(roles)
        }
    }
    held = ["role-12", "role-500", f"role-{roles - 1}"]
    document = {"user": {"roles": held}, "action": "list", "object": f"object-{(roles - 1) % 97}"}
    sources = PolicySources({"rbac.rego": text}, data)
    return Policy(f"RBAC, {roles:,} roles", sources, "rbac/allow", document, expected=True)


def api(rules: int = 200) -> Policy:
    """A rule for each endpoint of an API."""
    lines = ["package api", "", "default allow := false", ""]
    for number in range(rules):
        lines += [
            "allow if {",
            f'	input.method == "{("GET", "POST", "PUT", "DELETE")[number % 4]}"',
            f'	input.path == ["v1", "things-{number}", input.tenant]',
            f'	"scope-{number}" in input.scopes',
            "}",
            "",
        ]
    last = rules - 1
    document = {
        "method": ("GET", "POST", "PUT", "DELETE")[last % 4], "path": ["v1", f"things-{last}", "acme"],
        "tenant": "acme", "scopes": ["scope-1", f"scope-{last}"],
    }  # fmt: skip
    sources = PolicySources({"api.rego": "\n".join(lines)}, {})
    return Policy(f"API, {rules} rules", sources, "api/allow", document, expected=True)


def equalities(rules: int) -> Policy:
    """Rules that differ by one equality."""
    bodies = "".join(
        f'allow if {{\n\tinput.endpoint == "/v1/endpoint-{number}"\n\tinput.role == "role-{number}"\n}}\n\n'
        for number in range(rules)
    )
    text = f"package equalities\n\ndefault allow := false\n\n{bodies}"
    document = {"endpoint": f"/v1/endpoint-{rules // 2}", "role": f"role-{rules // 2}"}
    sources = PolicySources({"equalities.rego": text}, {})
    return Policy(f"{rules:,} rules that differ by an equality", sources, "equalities/allow", document, expected=True)


def arrays() -> Policy:
    """Every item against every item of another array."""
    text = """package arrays

deny contains resource.id if {
	some resource in input.resources
	some tag in resource.tags
	tag == input.forbidden[_]
}

total := sum([resource.size | some resource in input.resources])

large := [resource.id | some resource in input.resources; resource.size > 50]

decision := {"allowed": count(deny) == 0, "total": total, "large": count(large)}
"""
    resources = [
        {"id": f"r{number}", "size": number, "tags": [f"t{number % 7}", f"u{number % 11}", "x"]}
        for number in range(100)
    ]
    document = {"resources": resources, "forbidden": ["secret", "internal", "t9", "u12"]}
    expected = {"allowed": True, "total": 4950, "large": 49}
    return Policy("arrays", PolicySources({"arrays.rego": text}, {}), "arrays/decision", document, expected)


def strings() -> Policy:
    """Prefixes, patterns and formatted texts."""
    text = """package strings_policy

default allow := false

allow if {
	regex.match(`^/api/v[0-9]+/[a-z-]+/[0-9]+$`, input.path)
	not suspicious
	endswith(lower(input.host), ".company.example")
}

suspicious if {
	some word in ["drop table", "<script", "../", "etc/passwd"]
	contains(lower(input.query), word)
}

parts := split(trim_prefix(input.path, "/"), "/")

decision := {
	"allowed": allow,
	"resource": concat("/", array.slice(parts, 2, 4)),
	"reason": sprintf("%s %s by %s", [input.method, input.path, input.user]),
}
"""
    document = {
        "method": "GET", "path": "/api/v2/orders/4711", "host": "Shop.Company.Example", "user": "alice",
        "query": "Page=2&Sort=date&Filter=open%20orders%20of%20this%20week",
    }  # fmt: skip
    expected = {"allowed": True, "resource": "orders/4711", "reason": "GET /api/v2/orders/4711 by alice"}
    return Policy("strings", PolicySources({"s.rego": text}, {}), "strings_policy/decision", document, expected)


def all_policies() -> Iterator[Policy]:
    """Every policy of the comparison."""
    yield from (founding(), rbac(), api(), arrays(), strings())
