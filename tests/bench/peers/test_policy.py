"""The policy that opa-envoy-plugin is measured with decides as the one that ships."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from authz_service.policy.compiled_engine import Terms, load_engine
from authz_service.policy.compiling import Job
from bench.peers import programs
from bench.peers.programs import Policies
from bench.peers.tokens import TokenIssuer

Answers = Callable[[Mapping[str, Any]], Any]


class _Sides:
    """Both policies in the engine of this repository, and tokens of the issuer that they trust."""

    def __init__(self, folder: Path) -> None:
        self.issuer = TokenIssuer()
        self.policies = programs.write_policies(folder, self.issuer)
        self._data = str(folder / "keys" / "data.json")

    def load(self, name: str) -> tuple[Answers, Answers]:
        found: Policies = self.policies[name]
        rules = (found.decision,)
        return _engine(Job((str(found.ours),), rules=rules)), _engine(Job((str(found.theirs), self._data), rules=rules))


def _engine(job: Job) -> Answers:
    engine = asyncio.run(load_engine(job, Terms(), time.time_ns))
    return lambda document: engine.evaluate(job.rules[0], document)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> _Sides:
    return _Sides(tmp_path_factory.mktemp("policies"))


@pytest.fixture(scope="module")
def founding(sides: _Sides) -> tuple[Answers, Answers]:
    return sides.load("founding")


@pytest.fixture(scope="module")
def rules(sides: _Sides) -> tuple[Answers, Answers]:
    return sides.load("rules")


def _theirs(method: str, path: str, token: str | None, body: str = "") -> dict[str, Any]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    http = {"method": method, "path": path, "headers": headers, **({"body": body} if body else {})}
    segments = path.partition("?")[0].removeprefix("/").split("/")
    return {"attributes": {"request": {"http": http}}, "parsed_path": segments}


@pytest.mark.parametrize(
    ("method", "path", "body", "carries_file"),
    [
        ("GET", "/reports/q3?page=2", "", False),
        ("DELETE", "/reports/q3", "", False),
        ("GET", "/hr/salaries", "", False),
        ("GET", "/HR?x=1", "", False),
        ("GET", "/reports", "see file:///x", True),
    ],
)
def test_both_decide_alike_and_by_the_same_rule(
    sides: _Sides,
    founding: tuple[Answers, Answers],
    method: str,
    path: str,
    body: str,
    *,
    carries_file: bool,
) -> None:
    """For a user with the roles that the benchmark's tokens have."""
    user = {"id": "alice", "email": "alice@company.example", "roles": ["engineer", "reader"]}
    document = {"method": method, "path": path.partition("?")[0], "body_contains_file": carries_file, "user": user}
    ours, theirs = founding
    assert theirs(_theirs(method, path, sides.issuer.token(), body)) == ours(document)


@pytest.mark.parametrize("token", [None, "a.b.c", TokenIssuer().token()])
def test_theirs_refuses_without_a_good_token(founding: tuple[Answers, Answers], token: str | None) -> None:
    """None, a broken one, one that another key signed: 401, as authz_service answers before it asks its policy."""
    decision = founding[1](_theirs("GET", "/reports", token))
    assert isinstance(decision, dict)
    assert (decision["allowed"], decision["http_status"]) == (False, 401)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/things-196/acme", True),
        ("POST", "/v1/things-197/acme", True),
        ("GET", "/v1/things-197/acme", False),
        ("GET", "/v1/things-196/other", False),
        ("GET", "/v1/things-192/acme", False),
    ],
)
def test_both_sets_of_rules_decide_alike(
    sides: _Sides, rules: tuple[Answers, Answers], method: str, path: str, *, allowed: bool
) -> None:
    """By method, path, tenant and scope."""
    ours, theirs = rules
    document = _theirs(method, path, sides.issuer.token())
    claims = {"tenant": "acme", "scopes": ["scope-1", "scope-196", "scope-197"]}
    assert theirs(document) is allowed
    assert ours({**document, "identity": {"claims": claims}}) is allowed
