"""What happens when a part is away: authorization fails closed, limits do as configured, a bad policy is not taken."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import REPOSITORY, Gateway, running

pytestmark = pytest.mark.e2e


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Start a stack whose parts may be ended without the rest."""
    stacks = []

    def begin(*arguments: str) -> Gateway:
        stack = running(tmp_path / "stack", "--keep-running", *arguments)
        stacks.append(stack)
        return stack.__enter__()

    yield begin
    for stack in stacks:
        stack.__exit__(None, None, None)


def test_while_authz_service_is_away_nothing_passes(start: Callable[..., Gateway]) -> None:
    gateway = start()
    token = gateway.token(roles=("hr_access",))
    assert gateway.send("/before", token).status == 200
    gateway.kill("authz_service")
    assert {gateway.send(f"/after/{number}", token).status for number in range(20)} == {503}
    assert not [seen for seen in gateway.received() if seen["path"].startswith("/after")]


def test_while_ratelimit_service_is_away_requests_are_refused_as_configured(start: Callable[..., Gateway]) -> None:
    gateway = start()
    gateway.kill("ratelimit_service")
    token = gateway.token()
    assert {gateway.send("/after", token).status for _ in range(5)} == {503}
    assert not [seen for seen in gateway.received() if seen["path"].startswith("/after")]


@pytest.mark.parametrize(
    ("mode", "expected"), [("allow", [200] * 7), ("deny", [429] * 7), ("local", [200] * 5 + [429] * 2)]
)
def test_while_valkey_is_away_the_failure_mode_decides(
    start: Callable[..., Gateway], mode: str, expected: list[int]
) -> None:
    gateway = start("--failure-mode", mode)
    gateway.kill("valkey")
    time.sleep(0.2)
    gateway.in_one_minute()
    token = gateway.token()
    assert [gateway.send("/reports/1", token).status for _ in range(7)] == expected
    assert gateway.metric(gateway.state.ratelimit_service.http, "ratelimit_failure_mode_decisions_total") >= 7


def test_a_changed_policy_comes_into_use_and_a_bad_one_never_does(
    start: Callable[..., Gateway], tmp_path: Path
) -> None:
    policies = tmp_path / "rego"
    shutil.copytree(REPOSITORY / "rego", policies)
    gateway = start("--policies", str(policies))
    token = gateway.token()
    assert gateway.send("/closed/1", token).status == 200
    main = policies / "main.rego"
    good = main.read_text()

    main.write_text(good.replace("authz.allow\n", 'authz.allow\n\tnot startswith(input.path, "/closed/")\n'))
    _wait(lambda: gateway.send("/closed/1", gateway.token()).status == 403, "the changed policy is not in use")

    main.write_text(good.replace("package agent_gateway", "package agent_gateway\n\nbroken := {"))
    refused = 'policy_reload": "refused'
    _wait(lambda: refused in _readiness(gateway), "the bad policy was not refused")
    assert f"{main}:" in _readiness(gateway)
    assert gateway.send("/closed/1", gateway.token()).status == 403
    assert gateway.send("/open/1", gateway.token()).status == 200


def _readiness(gateway: Gateway) -> str:
    return httpx.get(f"{gateway.state.authz_service.http}/readyz").text


def _wait(condition: Callable[[], bool], otherwise: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.25)
