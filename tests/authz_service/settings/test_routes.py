"""For which requests another rule decides, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.identity.binding import Requirement
from authz_service.policy.target import parse_target
from authz_service.routing import Conditions, RouteRule, Routes
from authz_service.settings.routes import MAX_EXTENSIONS, MAX_ROUTES, read_routes
from tests.authz_service.settings.sections import section_faults, section_read

DEFAULT = RouteRule("gateway/decision", anonymous=False)
FULL = """\
routes:
  - name: admin
    decision: admin/decision
    anonymous: deny
    credentials: either
    require_binding: mtls
    match:
      hosts: [api.example, "*.Admin.example"]
      paths: [/admin, /hr/reports/]
      methods: [GET, POST]
      context_extensions: {kind: admin, number: "7"}
  - name: health
    anonymous: allow
    match: {paths: [/health]}
"""


def loaded(folder: Path, text: str, default: RouteRule = DEFAULT) -> tuple[RouteRule, ...]:
    """The rules."""
    return section_read(folder, text, lambda root: read_routes(root, default))


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    """What is wrong with a section."""
    return section_faults(folder, text, lambda root: read_routes(root, DEFAULT))


def fault(folder: Path, written: str, instead: str) -> tuple[int, str]:
    """The only fault of a section in which something else is written."""
    assert FULL.count(written) == 1
    (found,) = faults(folder, FULL.replace(written, instead))
    return found


def test_everything_may_be_said(tmp_path: Path) -> None:
    """And is read as it is meant, in its order."""
    conditions = Conditions(
        ("api.example", "*.Admin.example"),
        ("/admin", "/hr/reports/"),
        ("GET", "POST"),
        {"kind": "admin", "number": "7"},
    )
    assert loaded(tmp_path, FULL) == (
        RouteRule("admin/decision", False, "either", Requirement.MTLS, conditions, "admin"),
        RouteRule("gateway/decision", True, "token", Requirement.NONE, Conditions(paths=("/health",)), "health"),
    )


@pytest.mark.parametrize("text", ["{}", "routes: []", "routes:"])
def test_there_may_be_no_routes(tmp_path: Path, text: str) -> None:
    """Then the default is for all."""
    assert loaded(tmp_path, text) == ()


@pytest.mark.parametrize(
    "default",
    [
        DEFAULT,
        RouteRule("a/b", True),
        RouteRule("a/b", False, "certificate", Requirement.ANY),
        RouteRule("a/b", False, "either", Requirement.DPOP, name="x"),
    ],
)
def test_what_a_route_leaves_out_is_as_the_default_has_it(tmp_path: Path, default: RouteRule) -> None:
    """What the default asks for as well: leaving it out must not ask for less."""
    (rule,) = loaded(tmp_path, "routes: [{name: a, match: {paths: [/a]}}]", default)
    assert rule == RouteRule(
        default.decision,
        default.anonymous,
        default.credentials,
        default.require_binding,
        Conditions(paths=("/a",)),
        "a",
    )


def test_a_route_that_is_open_to_all_asks_for_no_binding(tmp_path: Path) -> None:
    """Whatever the default asks for."""
    text = "routes: [{name: a, anonymous: allow, match: {paths: [/a]}}]"
    (rule,) = loaded(tmp_path, text, RouteRule("a/b", False, require_binding=Requirement.DPOP))
    assert (rule.anonymous, rule.require_binding) == (True, Requirement.NONE)
    (rule,) = loaded(
        tmp_path,
        "routes: [{name: a, require_binding: none, match: {paths: [/a]}}]",
        RouteRule("a/b", False, require_binding=Requirement.DPOP),
    )
    assert rule.require_binding is Requirement.NONE


def test_a_binding_where_nothing_is_asked_for_is_a_fault(tmp_path: Path) -> None:
    """One of the two is not meant."""
    assert fault(tmp_path, "anonymous: deny", "anonymous: allow") == (
        6, "routes[0].require_binding makes no sense with anonymous: allow, which asks for nothing at all"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "instead", "line", "text"),
    [
        ("anonymous: deny", "anonymous: yes", 4, "routes[0].anonymous must be one of deny, allow, but is 'yes'"),
        ("either", "both", 5, "routes[0].credentials must be one of token, certificate, either, but is 'both'"),
        ("mtls", "tls", 6, "routes[0].require_binding must be one of none, any, dpop, mtls, but is 'tls'"),
        ("admin/decision", "admin decision", 3,
         "routes[0].decision must be a rule's path such as agent_gateway/decision, but is 'admin decision'"),
        ("name: health", "name: admin", 12, ""),
        ("  - name: health\n    anonymous: allow", "  - anonymous: allow", 12, "routes[1].name is missing"),
        ("    match: {paths: [/health]}\n", "", 12, "routes[1].match is missing"),
        ("match: {paths: [/health]}",
        "match: {}", 14, "routes[1].match has no condition, so that no later route counts"),
        ("[api.example,", "[api.example, '',", 8, "routes[0].match.hosts[1] must be text, but is text"),
        ("[GET, POST]", "GET", 10, "routes[0].match.methods must be a list, but is text"),
    ],
)  # fmt: skip
def test_each_fault_has_its_place(tmp_path: Path, written: str, instead: str, line: int, text: str) -> None:
    """And its words."""
    assert FULL.count(written) == 1
    found = faults(tmp_path, FULL.replace(written, instead))
    if text:
        assert found == [(line, text)]
    else:
        assert found == [
            (2, "routes[0].name is 'admin', as another route's"),
            (12, "routes[1].name is 'admin', as another route's"),
        ]


@pytest.mark.parametrize("key", ["hosts", "paths", "methods"])
def test_an_empty_list_is_a_fault(tmp_path: Path, key: str) -> None:
    """It would hold for everything, as if it were left out."""
    values = {"hosts": '[api.example, "*.Admin.example"]', "paths": "[/admin, /hr/reports/]", "methods": "[GET, POST]"}
    assert fault(tmp_path, values[key], "[]")[1] == f"routes[0].match.{key} must have at least one item"


@pytest.mark.parametrize(
    "host",
    ["api.example:443", "https://api.example", "api.example/", "*", "*.", "*.*", "a.*.example", "*api.example",
    "api..example", ".example",
     "[::1]", "::1", "zürich.example", "a b", "api.example..", "*.*.example", "user@api.example", "api%2eexample"],
)  # fmt: skip
def test_a_host_that_no_request_could_name_is_a_fault(tmp_path: Path, host: str) -> None:
    """Its rule would never count."""
    found = fault(tmp_path, "[api.example,", f'["{host}",')
    assert found == (
        8,
        f"routes[0].match.hosts must hold names without port, perhaps with *. in front, but has {host!r}",
    )


@pytest.mark.parametrize(
    "host", ["api", "API.example", "a-b.c_d.example.", "*.example", "10.0.0.1", "xn--zrich-kva.example"]
)
def test_a_host_may_be_any_name(tmp_path: Path, host: str) -> None:
    """And is found by it."""
    rules = loaded(tmp_path, FULL.replace("[api.example,", f'["{host}",'))
    asked = host.replace("*", "x")
    target = parse_target("/admin")
    assert Routes([*rules, DEFAULT]).find("GET", asked, target, {"kind": "admin", "number": "7"}).name == "admin"


@pytest.mark.parametrize(
    "path",
    ["admin", "//admin", "/a//b", "/a?b", "/a%20b", "/%61", "/a/../b", "/a/.", "/a/..", "/a;b", "/a.", "/a /b",
    "/a\\\\b", "*",
     "/\uff41", "/a\u200b", "/ﬁ", "https://api.example/a", "/a\\x00", "/" + "a" * 9_000],
)  # fmt: skip
def test_a_path_that_no_request_could_have_is_a_fault(tmp_path: Path, path: str) -> None:
    """Requests have theirs in one form, and a rule for another would never count."""
    line, text = fault(tmp_path, "[/admin,", f'["{path}",')
    assert line == 9
    assert text.startswith("routes[0].match.paths must hold decoded paths that begin with one slash, but has ")


@pytest.mark.parametrize(
    "path", ["/", "/a", "/A/", "/a b/c", "/zürich", "/a.b/c-d_e~f", "/.well-known/x", "/a+b", "/(x)", "/100%"]
)
def test_a_path_may_be_any_that_a_request_can_have(tmp_path: Path, path: str) -> None:
    """Decoded."""
    (rule,) = loaded(tmp_path, f'routes: [{{name: a, match: {{paths: ["{path}"]}}}}]')
    assert rule.conditions.paths == (path,)


@pytest.mark.parametrize("method", ["get", "Post", "G T", "*", "GET,POST", "É", "GET\\n"])
def test_a_method_that_is_not_in_capitals_is_a_fault(tmp_path: Path, method: str) -> None:
    """Methods are case-sensitive, so that such a rule would never count (RFC 9110 section 9.1)."""
    line, text = fault(tmp_path, "[GET, POST]", f'["{method}"]')
    assert line == 10
    assert text.startswith("routes[0].match.methods must hold methods in capital letters, but has ")


@pytest.mark.parametrize("method", ["DELETE", "M-SEARCH", "VERSION-CONTROL", "X_Y2"])
def test_a_method_may_be_any_in_capitals(tmp_path: Path, method: str) -> None:
    """There are more than those of HTTP itself."""
    assert loaded(tmp_path, FULL.replace("[GET, POST]", f"[{method}]"))[0].conditions.methods == (method,)


def test_so_many_routes_and_extensions_may_there_be_and_no_more(tmp_path: Path) -> None:
    """Each is looked at for each request."""
    routes = [f"  - {{name: r{n}, match: {{paths: [/r{n}]}}}}\n" for n in range(MAX_ROUTES + 1)]
    assert len(loaded(tmp_path, "routes:\n" + "".join(routes[1:]))) == MAX_ROUTES
    assert faults(tmp_path, "routes:\n" + "".join(routes)) == [(2, f"routes must have at most {MAX_ROUTES} items")]
    extensions = [f"k{n}: v" for n in range(MAX_EXTENSIONS + 1)]
    form = "routes: [{{name: a, match: {{context_extensions: {{{}}}}}}}]"
    (rule,) = loaded(tmp_path, form.format(", ".join(extensions[1:])))
    assert len(rule.conditions.context_extensions) == MAX_EXTENSIONS
    ((line, text),) = faults(tmp_path, form.format(", ".join(extensions)))
    assert (line, text) == (1, f"routes[0].match.context_extensions must have at most {MAX_EXTENSIONS} items")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Unknown keys among them."""
    text = FULL.replace("hosts:", "host:").replace("mtls", "x").replace("[/health]", "[health]")
    assert [line for line, _ in faults(tmp_path, text)] == [6, 8, 14]
