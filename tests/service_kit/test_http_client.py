"""One bounded exchange: what is sent, what is taken, and in what words an operator learns of the rest."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit import http_client
from service_kit.http_client import Answer, Bounds, HttpClient, HttpError, ask_once, shown
from tests.raw_http import Behaviour, Endpoint, answering, response, self_signed

BOUNDS = Bounds(20.0, 1000)


def asked(behaviour: Behaviour, bounds: Bounds = BOUNDS, tls: Any = None, **more: Any) -> tuple[Answer, str]:
    """Ask once: the answer, and what the server got."""

    async def run() -> tuple[Answer, str]:
        async with Endpoint(behaviour, tls).running() as server:
            answer = await ask_once("GET", f"{server.uri}?key=secret", bounds, **more)
            return answer, server.requests[0]

    return asyncio.run(run())


def problem(behaviour: Behaviour, bounds: Bounds = BOUNDS, tls: Any = None, **more: Any) -> str:
    """Asking fails; the reason, which holds no part of the URL."""
    with pytest.raises(HttpError) as caught:
        asked(behaviour, bounds, tls, **more)
    text = str(caught.value)
    assert not {"secret", "127.0.0.1", "jwks.json"} & set(text.replace("?", " ").replace("/", " ").split())
    return text


def test_a_request_goes_out_as_it_was_given_and_its_answer_comes_back() -> None:
    """With what we are called, and no wish for anything packed."""
    received = response(b"body", headers="X-One: 1\r\nx-one: 2\r\n")

    async def run() -> tuple[Answer, str]:
        async with Endpoint(answering(received)).running() as server:
            answer = await ask_once("POST", server.uri, BOUNDS, headers={"Accept": "a/b"}, body=b"")
            return answer, server.requests[0]

    answer, request = asyncio.run(run())
    assert (answer.status, answer.body, answer.headers["x-one"]) == (200, b"body", "1, 2")
    lines = request.split("\r\n")
    assert lines[0] == "POST /jwks.json HTTP/1.1"
    assert {"Accept: a/b", "User-Agent: agent-gateway", "Accept-Encoding: identity"} <= set(lines)


@pytest.mark.parametrize(
    ("accepted", "status", "taken"),
    [((200,), 200, True), ((200,), 304, False), ((200, 304), 304, True), ((404,), 200, False), ((404,), 404, True)],
)
def test_only_the_statuses_that_are_accepted_are_returned(
    accepted: Collection[int], status: int, *, taken: bool
) -> None:
    behaviour = answering(response(b"", f"{status} X"))
    if taken:
        assert asked(behaviour, accepted=accepted)[0].status == status
    else:
        assert problem(behaviour, accepted=accepted) == f"answered {status}"


def test_a_redirect_is_an_answer_like_another_and_never_followed() -> None:
    async def run() -> list[str]:
        async with (
            Endpoint(answering(response(b"there"))).running() as other,
            Endpoint(answering(response(b"", "302 Found", f"Location: {other.uri}\r\n"))).running() as moved,
        ):
            with pytest.raises(HttpError, match=r"^answered 302$") as caught:
                await ask_once("GET", moved.uri, BOUNDS)
            assert caught.value.status == 302
            return other.requests

    assert asyncio.run(run()) == []


def test_a_body_at_the_bound_is_taken_and_one_above_it_is_not() -> None:
    assert len(asked(answering(response(b"x" * 1000)))[0].body) == 1000
    assert problem(answering(response(b"x" * 1001))) == "sent more than 1000 bytes"
    assert (
        problem(answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 1001)) == "sent more than 1000 bytes"
    )


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])
def test_a_server_that_falls_silent_is_given_up(start: bytes) -> None:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await asyncio.sleep(60)

    assert problem(behave, Bounds(0.2, 1000)) == "did not answer within 0.2 s"


def test_a_host_that_takes_no_connection_is_given_up_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener whose queue is full drops what comes, as a firewall does."""
    monkeypatch.setattr(http_client, "CONNECT_SECONDS", 0.3)

    async def run() -> str:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = []
            for _ in range(4):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
                fillers.append(filler)
            try:
                await ask_once("GET", f"http://127.0.0.1:{full.getsockname()[1]}/", BOUNDS)
            except HttpError as error:
                return str(error)
            finally:
                for filler in fillers:
                    filler.close()
        return "answered"

    assert asyncio.run(run()) == "cannot be reached within 0.3 s"


def test_nobody_at_the_address_is_told_as_the_system_tells_it() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(HttpError, match=r"^cannot be reached: Connection refused$"):
            asyncio.run(ask_once("GET", url, BOUNDS))


def test_a_certificate_that_nobody_vouches_for_is_told_with_its_fault(tmp_path: Path) -> None:
    text = problem(answering(response(b"x")), tls=self_signed(tmp_path))
    assert text == "cannot be reached: its certificate is not accepted: self-signed certificate"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 10_000 + b"\r\n",
    ],
)
def test_what_is_no_http_is_told_by_its_kind_only(data: bytes) -> None:
    """The parser's own text would hold parts of it."""
    assert problem(answering(data)).startswith("cannot be fetched: ")


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:0/", "http://[::1/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(HttpError):
        asyncio.run(ask_once("GET", url, BOUNDS))


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\r\nY": "b"}])
def test_a_header_that_would_be_two_is_not_sent(headers: Mapping[str, str]) -> None:
    with pytest.raises(HttpError):
        asked(answering(response(b"x")), headers=headers)


def test_an_answer_is_unpacked_by_nobody() -> None:
    """Refused, or returned as it came."""
    behaviour = answering(response(b"packed", headers="Content-Encoding: gzip\r\n"))
    assert problem(behaviour) == "sent a packed answer, which was not asked for"
    assert asked(behaviour, packed=True)[0].body == b"packed"
    assert asked(answering(response(b"x", headers="Content-Encoding: Identity\r\n")))[0].body == b"x"


def test_no_cookie_is_kept_and_no_proxy_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def run() -> list[str]:
        client = HttpClient()
        async with Endpoint(answering(response(b"x", headers="Set-Cookie: a=b\r\n"))).running() as server:
            for _ in range(2):
                await client.ask("GET", server.uri, BOUNDS)
            await client.close()
            return server.requests

    requests = asyncio.run(run())
    assert len(requests) == 2
    assert not any("cookie" in request.lower() for request in requests)


def test_a_kept_connection_that_was_closed_is_opened_anew() -> None:
    """Even where the server closes it in answer to the next request; one that always does so is given up."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(connections)
        connections.append(0)
        while await reader.readuntil(b"\r\n\r\n"):
            connections[number] += 1
            if number >= 2 or connections[number] > 1:
                break
            writer.write(response(b"x"))
        writer.close()

    async def run() -> str:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        client = HttpClient()
        try:
            for _ in range(2):
                assert (await client.ask("POST", url, BOUNDS, body=b"")).body == b"x"
            with pytest.raises(HttpError) as caught:
                await client.ask("POST", url, BOUNDS, body=b"")
            return str(caught.value)
        finally:
            await client.close()
            server.close()

    assert asyncio.run(run()) == "cannot be fetched: ServerDisconnectedError"
    assert connections == [2, 2, 1]


def test_a_client_that_was_closed_opens_again_when_it_is_asked() -> None:
    async def run() -> bytes:
        client = HttpClient()
        async with Endpoint(answering(response(b"x"))).running() as server:
            await client.ask("GET", server.uri, BOUNDS)
            await client.close()
            await client.close()
            answer = await client.ask("GET", server.uri, BOUNDS)
            await client.close()
            return answer.body

    assert asyncio.run(run()) == b"x"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/jwks.json", "https://a.example/jwks.json"),
        ("https://a.example/jwks?key=secret", "https://a.example/jwks"),
        ("https://a.example?key=secret", "https://a.example"),
        ("https://user:secret@a.example:8443/x#secret", "https://a.example:8443/x"),
        ("https://secret@a.example", "https://a.example"),
        ("https://a:secret@b@c.example/x", "https://c.example/x"),
        ("http://[::1/", "a URL that cannot be read"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_credential(url: str, expected: str) -> None:
    assert shown(url) == expected


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_query_is_ever_shown(before: str, after: str) -> None:
    assert "7f3a-secret" not in shown(f"https://h.example/{before}?{after}7f3a-secret")
