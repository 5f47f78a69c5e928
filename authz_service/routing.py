"""A request → the rule of the configuration that says how it is judged: by host, path, method, route. Pure.

The first rule whose every condition holds counts. Hosts and paths are compared without regard to case, the path as the
most lenient server would read it (`policy.target`): what asks for more must not be gone around by another spelling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from authz_service.identity.binding import Requirement
from authz_service.policy.target import Target

Credentials = Literal["token", "certificate", "either"]


@dataclass(frozen=True, slots=True)
class Conditions:
    """When a rule is for a request; what is empty holds for all.

    `hosts` are names without port, `*.` in front for any below; `paths` are prefixes by whole segments;
    `context_extensions` are what Envoy's route says of itself.
    """

    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    context_extensions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RouteRule:
    """How requests are judged: which rule decides, and what a caller has to bring.

    `credentials`: a token, a client certificate alone, or either. `anonymous`: whether he may bring nothing.
    """

    decision: str
    anonymous: bool
    credentials: Credentials = "token"
    require_binding: Requirement = Requirement.NONE
    conditions: Conditions = field(default_factory=Conditions)
    name: str = "default"


class Routes:
    """The rules in order; the last is for whatever no other is for."""

    def __init__(self, rules: Sequence[RouteRule]) -> None:
        *others, self._default = rules
        self._rules = [(prepared(rule.conditions), rule) for rule in others]

    def find(self, method: str, host: str, target: Target, context_extensions: Mapping[str, str]) -> RouteRule:
        """Return the rule for a request; `host` may have a port."""
        if not self._rules:
            return self._default
        name, path = host_name(host), target.path.casefold()
        for wanted, rule in self._rules:
            if holds(wanted, method, name, path) and all(
                context_extensions.get(key) == value for key, value in wanted.context_extensions.items()
            ):
                return rule
        return self._default


def host_name(host: str) -> str:
    """Return a host without port, in lower case and without a dot at its end."""
    name = host.rpartition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    return name.lower().rstrip(".")


def prepared(conditions: Conditions) -> Conditions:
    """Return conditions as `holds` compares them."""
    return Conditions(
        tuple(host.lower().rstrip(".") for host in conditions.hosts),
        tuple(path.casefold().rstrip("/") for path in conditions.paths),
        conditions.methods,
        conditions.context_extensions,
    )


def holds(wanted: Conditions, method: str, host: str, path: str) -> bool:
    """Whether `prepared` conditions are for a method, a `host_name` and a canonical path, `casefold`ed."""
    return (
        (not wanted.methods or method in wanted.methods)
        and (not wanted.hosts or any(_is_host(host, pattern) for pattern in wanted.hosts))
        and (not wanted.paths or any(_is_below(path, prefix) for prefix in wanted.paths))
    )


def _is_host(name: str, pattern: str) -> bool:
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")
