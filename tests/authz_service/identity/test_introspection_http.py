"""Asking a real HTTP server about opaque tokens, one that answers as it should and one that does whatever it can."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from authz_service.errors import CredentialRefused, Outage
from authz_service.identity import introspection_http
from authz_service.identity.introspection import MAX_ANSWER_BYTES, Authentication
from authz_service.identity.introspection_http import IntrospectionEndpoint
from authz_service.identity.introspector import EndpointError, Introspector
from authz_service.settings.introspection import Introspection
from service_kit.breaker import FAILURES
from tests.raw_http import Behaviour, Endless, Endpoint, answering, response, self_signed

TOKEN, SECRET, QUERY = "opaque-7f3a-token", "client-9c1d-secret", "query-2b8e-secret"
NOW = 1_763_870_417.0
ACTIVE = {"active": True, "sub": "alice", "exp": NOW + 600}


def configured(
    folder: Path, endpoint: str, authentication: Authentication = "basic", secret: str = SECRET
) -> Introspection:
    """Settings for an endpoint, with the secret in a file."""
    file = folder / "secret"
    file.write_text(secret)
    return Introspection(f"{endpoint}?key={QUERY}", authentication, "gateway:1 %", file)


@contextlib.asynccontextmanager
async def running(application: web.Application) -> AsyncIterator[str]:
    """Serve on a free port; its address."""
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/introspect"
    finally:
        await runner.cleanup()


class Issuer:
    """An issuer of opaque tokens as RFC 7662 has it."""

    def __init__(self, tokens: Mapping[str, Mapping[str, Any]]) -> None:
        self.tokens = dict(tokens)
        self.requests: list[tuple[Mapping[str, str], Mapping[str, Any]]] = []
        self.secret = SECRET

    async def answer(self, request: web.Request) -> web.Response:
        """One question."""
        form = await request.post()
        self.requests.append((dict(request.headers), dict(form)))
        expected = base64.b64encode(f"gateway%3A1+%25:{self.secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return web.Response(status=401)
        return web.json_response(self.tokens.get(str(form["token"]), {"active": False}))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve; the endpoint's address."""
        application = web.Application()
        application.router.add_post("/introspect", self.answer)
        async with running(application) as address:
            yield address


def ask(folder: Path, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> Mapping[str, Any] | None:
    """Ask a server that behaves so about a token."""

    async def run() -> Mapping[str, Any] | None:
        async with Endpoint(behaviour, tls).running() as server:
            endpoint = IntrospectionEndpoint(configured(folder, server.uri))
            try:
                return await endpoint.ask(TOKEN)
            finally:
                await endpoint.close()

    return asyncio.run(run())


def problem(folder: Path, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> EndpointError:
    """Asking fails; how. No text of it holds a token or a secret."""
    with pytest.raises(EndpointError) as caught:
        ask(folder, behaviour, tls)
    text = str(caught.value)
    assert not any(hidden in text for hidden in (TOKEN, SECRET, QUERY))
    return caught.value


def json_answer(value: Any, status: str = "200 OK") -> Behaviour:
    """An answer of this JSON."""
    return answering(response(json.dumps(value).encode(), status, "Content-Type: application/json\r\n"))


def test_an_issuer_is_asked_as_the_rfc_says_over_one_connection(tmp_path: Path) -> None:
    """POST, a form, the client's name and secret in the header, and nothing in the query that is not configured."""

    async def run() -> None:
        issuer = Issuer({TOKEN: ACTIVE})
        async with issuer.running() as address:
            endpoint = IntrospectionEndpoint(configured(tmp_path, address))
            assert await endpoint.ask(TOKEN) == {"sub": "alice", "exp": NOW + 600}
            assert await endpoint.ask("another+/=&") is None
            await endpoint.close()
        headers, form = issuer.requests[1]
        assert form == {"token": "another+/=&", "token_type_hint": "access_token"}
        assert headers["Accept"] == "application/json"

    asyncio.run(run())


@pytest.mark.parametrize(("authentication", "place"), [("post", "form"), ("bearer", "header")])
def test_a_client_may_be_named_in_the_form_or_by_a_token_of_its_own(
    tmp_path: Path, authentication: Authentication, place: str
) -> None:
    seen: list[tuple[str | None, dict[str, Any]]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.headers.get("Authorization"), dict(await request.post())))
        return web.json_response(ACTIVE)

    async def run() -> None:
        application = web.Application()
        application.router.add_post("/introspect", answer)
        async with running(application) as address:
            endpoint = IntrospectionEndpoint(configured(tmp_path, address, authentication))
            assert await endpoint.ask(TOKEN)
            await endpoint.close()

    asyncio.run(run())
    header, form = seen[0]
    assert header == (f"Bearer {SECRET}" if place == "header" else None)
    assert form.get("client_secret") == (SECRET if place == "form" else None)


def test_a_secret_that_was_replaced_is_used_with_the_next_question(tmp_path: Path) -> None:
    """Without a restart; and while the old one is refused that is an outage, not a refusal."""

    async def run() -> None:
        issuer = Issuer({TOKEN: ACTIVE})
        async with issuer.running() as address:
            endpoint = IntrospectionEndpoint(configured(tmp_path, address))
            assert await endpoint.ask(TOKEN)
            issuer.secret = "another-secret"
            with pytest.raises(EndpointError, match="answered 401") as caught:
                await endpoint.ask(TOKEN)
            assert not caught.value.away
            (tmp_path / "secret").write_text("another-secret\n")
            assert await endpoint.ask(TOKEN)
            await endpoint.close()

    asyncio.run(run())


def test_a_secret_that_cannot_be_read_is_told_and_nobody_is_asked(tmp_path: Path) -> None:
    async def run() -> str:
        issuer = Issuer({TOKEN: ACTIVE})
        async with issuer.running() as address:
            endpoint = IntrospectionEndpoint(configured(tmp_path, address, secret=""))
            with pytest.raises(EndpointError) as caught:
                await endpoint.ask(TOKEN)
            assert issuer.requests == []
            return str(caught.value)

    assert asyncio.run(run()).startswith(f"{tmp_path / 'secret'} holds no secret")


@pytest.mark.parametrize(
    "value",
    [{}, {"active": "true"}, {"active": 1}, {"active": True, "exp": "soon"}, {"active": True, "cnf": []}, [], "active"],
)
def test_an_answer_that_says_no_clear_yes_is_none(tmp_path: Path, value: Any) -> None:
    error = problem(tmp_path, json_answer(value))
    assert "/jwks.json: the answer" in str(error)
    assert not error.away


@pytest.mark.parametrize(
    "body",
    [
        b'{"active": false, "active": true}',
        b'{"active": true, "sub": "alice", "sub": "root"}',
        b"<html>active: true</html>",
        b"active=true",
        b"",
    ],
)
def test_an_answer_that_is_not_json_or_says_a_thing_twice_is_none(tmp_path: Path, body: bytes) -> None:
    assert "the answer" in str(problem(tmp_path, answering(response(body))))


def test_an_answer_without_bounds_is_cut(tmp_path: Path) -> None:
    endless = Endless()
    assert f"sent more than {MAX_ANSWER_BYTES} bytes" in str(problem(tmp_path, endless))
    assert endless.sent < 100 * 1024 * 1024


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"])
def test_a_slow_issuer_is_given_up(tmp_path: Path, start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(introspection_http, "ASK_SECONDS", 0.3)

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await asyncio.sleep(60)

    error = problem(tmp_path, behave)
    assert str(error).endswith("did not answer within 0.3 s")
    assert error.away


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_takes_neither_token_nor_secret_elsewhere(tmp_path: Path, status: str) -> None:
    async def run() -> list[str]:
        async with Endpoint(json_answer(ACTIVE)).running() as other:
            moved = Endpoint(answering(response(b"", status, f"Location: {other.uri}\r\n")))
            async with moved.running():
                endpoint = IntrospectionEndpoint(configured(tmp_path, moved.uri))
                with pytest.raises(EndpointError, match=f"answered {status[:3]}"):
                    await endpoint.ask(TOKEN)
                await endpoint.close()
            return other.requests

    assert asyncio.run(run()) == []


@pytest.mark.parametrize(
    ("status", "away"),
    [("400 Bad", False), ("401 No", False), ("403 No", False), ("404 No", False), ("500 Oh", True), ("503 Oh", True)],
)
def test_any_answer_but_ok_is_an_outage_even_with_a_yes_in_it(tmp_path: Path, status: str, *, away: bool) -> None:
    """Those that say that the endpoint itself fails count towards not asking it for a while."""
    error = problem(tmp_path, json_answer(ACTIVE, status))
    assert (str(error).endswith(f"answered {status[:3]}"), error.away) == (True, away)


def test_a_certificate_that_nobody_vouches_for_ends_it_before_anything_is_sent(tmp_path: Path) -> None:
    error = problem(tmp_path, json_answer(ACTIVE), self_signed(tmp_path))
    assert "certificate is not accepted" in str(error)


def test_no_log_and_no_error_holds_a_token_a_secret_or_what_an_issuer_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In whatever way it ends, with all of our logs written down to the last detail."""
    said = "said-5d2f-by-the-issuer"
    bodies = [
        {"active": False, "sub": said},
        {"active": said},
        {"active": True, "exp": said},
        {"active": True, "sub": [said]},
        {"active": True, "sub": said, "cnf": said},
    ]
    answers = [*(response(json.dumps(body).encode()) for body in bodies), response(said.encode(), f"500 {said}"), b"x"]
    texts: list[str] = []

    async def run() -> None:
        pending = list(answers)

        async def behave(writer: asyncio.StreamWriter) -> None:
            writer.write(pending.pop(0) if pending else response(said.encode(), "502 Oh"))

        async with Endpoint(behave).running() as server:
            endpoint = IntrospectionEndpoint(configured(tmp_path, server.uri))
            introspector = Introspector(
                endpoint, cache_seconds=30, negative_cache_seconds=5, monotonic=lambda: 0.0, asked=lambda _: None
            )
            for number in range(len(answers) + 2 * FAILURES):
                try:
                    await introspector.introspect(f"{TOKEN}-{number}", NOW)
                except (CredentialRefused, Outage) as error:
                    texts.append(f"{error!r} {error} {error.code} {vars(error)}")
            await endpoint.close()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(run())
    assert len(texts) == len(answers) + 2 * FAILURES
    texts += [f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.name != "asyncio"]
    assert any("now and then" in text for text in texts)
    assert not any(hidden in text for hidden in (TOKEN, SECRET, QUERY, said) for text in texts)
