"""The engine port over an OPA server: the embedded engine's contract, and every way to misbehave bounded."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import PolicyFailed
from authz_service.policy import opa_server
from authz_service.policy.opa_server import MAX_ANSWER_BYTES, NO_REVISION, OpaEngine, revision_of
from authz_service.rego_engine.values import UNDEFINED
from service_kit.breaker import FAILURES
from tests.authz_service.policy.engines import engine_of
from tests.authz_service.policy.opa_servers import PATIENCE, Told, needs_opa, real_opa, response

POLICY = """\
package agent

decision := {"allowed": true, "headers": {"x-user": input.user.id}, "sum": 0.1 + 0.2} if input.user

conflict := 1 if input.a

conflict := 2 if input.a
"""
DOCUMENTS: list[dict[str, Any]] = [{"user": {"id": "alice"}}, {"user": {"id": "zoë \U0001f600"}}, {}, {"user": None}]


@asynccontextmanager
async def engine_at(url: str, seconds: float = PATIENCE, **named: Any) -> AsyncIterator[OpaEngine]:
    told = named.pop("told", lambda _: None)
    engine = OpaEngine(url, connections=named.pop("connections", 4), seconds=seconds, now=lambda: 1000.0, told=told)
    try:
        yield engine
    finally:
        await engine.close()


def asked(url: str, rule: str, *documents: dict[str, Any]) -> list[Any]:
    """What the server at a URL says, a failure as its code."""

    async def run() -> list[Any]:
        async with engine_at(url) as engine:
            return [await value_or_code(engine.decide(rule, document)) for document in documents]

    return asyncio.run(run())


async def value_or_code(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except PolicyFailed as error:
        return error.code


def told(answer: Callable[[str], bytes | None], *, seconds: float = PATIENCE) -> PolicyFailed | Any:
    """What one decision of a server that answers so ends with."""

    async def run() -> Any:
        async with Told(answer).running() as server, engine_at(server.url, seconds) as engine:
            try:
                return await engine.decide("agent/decision", {"secret": "s3cret"})
            except PolicyFailed as error:
                return error

    return asyncio.run(run())


@needs_opa
def test_a_real_server_decides_as_the_embedded_engine_does() -> None:
    """The same values for the same documents, undefined included."""
    embedded = engine_of(POLICY, "agent/decision")
    with real_opa(POLICY) as url:
        assert asked(url, "agent/decision", *DOCUMENTS) == [embedded.value(document) for document in DOCUMENTS]
        assert asked(url, "agent/absent", {}) == [UNDEFINED]
        assert asked(url, "agent/conflict", {"a": 1}, {}) == ["policy_failed", UNDEFINED]


@needs_opa
def test_a_real_server_is_asked_over_a_unix_socket() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"unix://{folder}/opa.sock"
        with real_opa(POLICY, "--addr", url):
            assert asked(url, "agent/decision", DOCUMENTS[0])[0]["headers"] == {"x-user": "alice"}


@needs_opa
def test_a_real_server_is_asked_with_a_token() -> None:
    """It answers nobody else, and that is a failure of the policy, not of the server."""
    policy = POLICY + '\nallow if input.identity == "t0ken"\n'
    authorization = policy.replace("package agent", "package system.authz")

    async def run(url: str) -> list[Any]:
        async with engine_at(url) as engine:
            found = [await value_or_code(engine.decide("system/authz/decision", DOCUMENTS[0]))]
            engine.identify("t0ken")
            found.append(await value_or_code(engine.decide("system/authz/decision", DOCUMENTS[0])))
            return found

    # Its own health wants no token here, or the test could not tell when it is there.
    authorization += '\nallow if input.path == ["health"]\n'
    with real_opa(authorization, "--authentication=token", "--authorization=basic") as url:
        refused, decided = asyncio.run(run(url))
    assert refused == "policy_failed"
    assert decided["allowed"] is True


def test_the_rule_and_the_whole_document_are_asked_for_over_connections_that_are_kept() -> None:
    async def run() -> None:
        async with Told(lambda _: response(b'{"result": true}')).running() as server, engine_at(server.url) as engine:
            for number in range(5):
                assert await engine.decide("agent/decision", {"number": number}) is True
            heads = [head.split(" HTTP")[0] for head, _ in server.requests]
            assert heads == ["POST /v1/data/agent/decision?provenance=true"] * 5
            assert [json.loads(body) for _, body in server.requests] == [{"input": {"number": n}} for n in range(5)]
            assert server.connections == 1

    asyncio.run(run())


def test_no_more_connections_are_opened_than_configured() -> None:
    async def run() -> None:
        server = Told(lambda _: response(b'{"result": 1}'))
        async with server.running(), engine_at(server.url, connections=2) as engine:
            assert await asyncio.gather(*(engine.decide("a/b", {}) for _ in range(20))) == [1] * 20
            assert server.connections <= 2

    asyncio.run(run())


def test_a_kept_connection_that_the_server_has_closed_costs_nobody_his_decision() -> None:
    async def run() -> None:
        server = Told(lambda _: response(b'{"result": 1}'), close_after_each=True)
        async with server.running(), engine_at(server.url) as engine:
            assert [await engine.decide("a/b", {}) for _ in range(5)] == [1] * 5

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "code", "part"),
    [
        (response(b"not JSON"), "policy_failed", "no JSON"),
        (response(b""), "policy_failed", "no JSON"),
        (response(b"[1]"), "policy_failed", "no object"),
        (response(b'{"result": NaN}'), "policy_failed", "no JSON"),
        (response(b'{"result": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "policy_failed", "no JSON"),
        (response(b"x" * (MAX_ANSWER_BYTES + 1)), "policy_failed", f"more than {MAX_ANSWER_BYTES} bytes"),
        (response(b'{"result": true}', "500 No"), "policy_failed", "answered 500"),
        (response(b'{"result": true}', "201 Created"), "policy_failed", "answered 201"),
        (response(b"", "302 Found", "Location: /v1/data\r\n"), "policy_failed", "answered 302"),
        (response(b"", "503 Busy"), "policy_unavailable", "answered 503"),
        (b"no HTTP at all\r\n\r\n", "policy_unavailable", "cannot be asked"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "policy_unavailable", "cannot be asked"),
        (None, "policy_deadline", "within 0.3 s"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"result":', "policy_deadline", "within 0.3 s"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_decision_is_a_failure_of_the_policy(answer: bytes | None, code: str, part: str) -> None:
    """In bounded time, and without a word of what was asked."""
    error = told(lambda _: answer, seconds=0.3 if code == "policy_deadline" else PATIENCE)
    assert isinstance(error, PolicyFailed)
    assert error.code == code
    assert part in error.detail
    assert "s3cret" not in error.detail


def test_an_answer_that_calls_itself_packed_is_not_unpacked() -> None:
    assert told(lambda _: response(b'{"result": 5}', headers="Content-Encoding: gzip\r\n")) == 5


def test_numbers_are_exact_and_what_is_no_character_is_replaced() -> None:
    """As the embedded engine answers."""
    assert told(lambda _: response(b'{"result": [1e400, "\\ud800"]}')) == [Decimal("1e400"), "�"]


def test_a_document_that_json_does_not_have_is_a_failure_of_the_policy() -> None:
    async def run() -> None:
        async with Told(lambda _: response(b"{}")).running() as server, engine_at(server.url) as engine:
            with pytest.raises(PolicyFailed, match="the input cannot be sent: TypeError"):
                await engine.decide("a/b", {"x": object()})
            assert not server.requests

    asyncio.run(run())


def test_the_revision_is_what_the_last_answer_told() -> None:
    """And it was loaded when it was first heard of."""
    revisions = ["r1", "r1", "r2"]
    times = iter([10.0, 20.0, 30.0])

    def answer(_: str) -> bytes:
        provenance = {"version": "1.0", "bundles": {"main": {"revision": revisions.pop(0)}}}
        return response(json.dumps({"result": True, "provenance": provenance}).encode())

    async def run() -> None:
        async with Told(answer).running() as server:
            engine = OpaEngine(
                server.url, connections=1, seconds=PATIENCE, now=lambda: next(times), told=lambda _: None
            )
            assert (engine.revision, engine.loaded, engine.reads) == (NO_REVISION, 10.0, None)
            seen = []
            for _ in range(3):
                await engine.look()
                seen.append((engine.revision, engine.loaded))
            assert seen == [("r1", 20.0), ("r1", 20.0), ("r2", 30.0)]
            await engine.close()

    asyncio.run(run())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=300), below, max_size=20),
    max_leaves=10,
)


@given(json_values | json_values.map(lambda value: {"bundles": value}))
def test_a_revision_is_short_and_printable_whatever_the_server_tells(provenance: Any) -> None:
    revision = revision_of(provenance)
    assert 0 < len(revision) <= opa_server.MAX_BUNDLES * (2 * opa_server.MAX_REVISION + 2)
    assert revision.isprintable()


@pytest.mark.parametrize(
    ("bundles", "revision"),
    [
        ({"b": {"revision": "2"}, "a": {"revision": "1"}}, "a=1,b=2"),
        ({"a": {"revision": "1"}, "b": {}}, "1"),
        ({}, NO_REVISION),
    ],
)
def test_the_revisions_of_several_bundles_are_told_by_name(bundles: Any, revision: str) -> None:
    assert revision_of({"version": "1", "bundles": bundles}) == revision


def test_a_server_that_fails_is_not_waited_for_until_it_answers_a_probe() -> None:
    """Nobody's call waits meanwhile, and whoever wants to know is told both."""
    heard: list[str | None] = []
    well = asyncio.Event()
    state = {"away": True}

    def answer(head: str) -> bytes | None:
        if state["away"]:
            return None
        return response(b"{}", "401 Unauthorized") if "/health" in head else response(b'{"result": 1}')

    def hear(problem: str | None) -> None:
        heard.append(problem)
        if problem is None:
            well.set()

    async def run() -> None:
        server = Told(answer)
        async with server.running(), engine_at(server.url, seconds=0.05, told=hear) as engine:
            for _ in range(FAILURES):
                assert await value_or_code(engine.decide("a/b", {})) == "policy_deadline"
            assert (engine.away, heard) == (True, ["the OPA server does not answer"])
            decisions = len([head for head, _ in server.requests if "/v1/data" in head])
            assert await value_or_code(engine.decide("a/b", {})) == "policy_unavailable"
            assert len([head for head, _ in server.requests if "/v1/data" in head]) == decisions
            state["away"] = False
            async with asyncio.timeout(PATIENCE):
                await well.wait()
            assert heard == ["the OPA server does not answer", None]
            assert not engine.away

    asyncio.run(run())


def test_errors_that_a_caller_can_provoke_do_not_close_the_gate_for_others() -> None:
    """A policy's error on an input is an answer."""

    async def run() -> None:
        server = Told(lambda _: response(b'{"code": "internal_error"}', "500 Internal"))
        async with server.running(), engine_at(server.url) as engine:
            for _ in range(3 * FAILURES):
                assert await value_or_code(engine.decide("a/b", {})) == "policy_failed"
            assert not engine.away

    asyncio.run(run())


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    assert asked(f"unix://{tmp_path}/absent.sock", "a/b", {}) == ["policy_unavailable"]
