"""The `routes` section: requests for which another rule decides, or whose callers have to bring something else."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

from authz_service.errors import RequestRefused
from authz_service.identity.binding import Requirement
from authz_service.policy.target import parse_target
from authz_service.routing import Conditions, RouteRule
from authz_service.settings.identity import read_requirement
from authz_service.settings.policy import check_decision
from service_kit.strict_yaml import Section

MAX_ROUTES = 1_000
MAX_EXTENSIONS = 20
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", re.ASCII)
_METHOD = re.compile(r"[A-Z][A-Z0-9_-]*", re.ASCII)


def read_routes(root: Section, default: RouteRule) -> tuple[RouteRule, ...]:
    """Read `routes`; what one leaves out is as `default` has it."""
    sections = root.sections("routes")
    if len(sections) > MAX_ROUTES:
        root.fault("routes", f"must have at most {MAX_ROUTES} items")
    rules = tuple(_rule(section, default) for section in sections[:MAX_ROUTES])
    names = [rule.name for rule in rules]
    for section, rule in zip(sections, rules, strict=False):
        if rule.name and names.count(rule.name) > 1:
            section.fault("name", f"is {rule.name!r}, as another route's")
    return rules


def _rule(section: Section, default: RouteRule) -> RouteRule:
    with section:
        name = section.text("name")
        decision = section.text("decision", default.decision)
        check_decision(section, decision)
        anonymous = section.choice("anonymous", ("deny", "allow"), default="allow" if default.anonymous else "deny")
        credentials = section.choice("credentials", ("token", "certificate", "either"), default=default.credentials)
        binding = Requirement.NONE if anonymous == "allow" else default.require_binding
        if section.has("require_binding"):
            binding = read_requirement(section)
        if anonymous == "allow" and binding is not Requirement.NONE:
            section.fault("require_binding", "makes no sense with anonymous: allow, which asks for nothing at all")
        with section.section("match") as match:
            conditions = _conditions(match)
        if section.has("match") and conditions == Conditions():
            section.fault("match", "has no condition, so that no later route counts")
    return RouteRule(
        decision,
        anonymous == "allow",
        "certificate" if credentials == "certificate" else "either" if credentials == "either" else "token",
        binding,
        conditions,
        name,
    )


def _conditions(match: Section) -> Conditions:
    extensions: dict[str, str] = {}
    if match.has("context_extensions"):
        with match.section("context_extensions") as section:
            if len(section.entries) > MAX_EXTENSIONS:
                match.fault("context_extensions", f"must have at most {MAX_EXTENSIONS} items")
            extensions = {key: section.text(key) for key in section.entries}  # the file's own bounds hold
    return replace(read_conditions(match), context_extensions=extensions)


def read_conditions(match: Section) -> Conditions:
    """Read what requests have to be like: hosts, paths, methods."""
    # An empty list would hold for nothing, or, read as one that is left out, for everything.
    hosts, paths, methods = (match.texts(key, required=match.has(key)) for key in ("hosts", "paths", "methods"))
    for host in hosts:
        if host and not _HOST.fullmatch(host):
            match.fault("hosts", f"must hold names without port, perhaps with *. in front, but has {host!r}")
    for path in paths:
        if path and ("?" in path or not _is_canonical(path)):
            match.fault("paths", f"must hold decoded paths that begin with one slash, but has {path!r}")
    for method in methods:
        if method and not _METHOD.fullmatch(method):
            match.fault("methods", f"must hold methods in capital letters, but has {method!r}")
    return Conditions(hosts, paths, methods)


def _is_canonical(path: str) -> bool:
    """Whether a request's path can be just this one: a rule for any other would never count."""
    try:
        return parse_target(quote(path)).path == path
    except RequestRefused:
        return False
