"""Keys over HTTP: every way in which an endpoint can misbehave ends in bounded time with a `KeySourceError`."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import time
from pathlib import Path

import pytest

from authz_service.identity import jwks_http
from authz_service.identity.jwks_http import KeyEndpoint
from authz_service.identity.key_source import Fetched, KeySourceError
from authz_service.identity.keys import MAX_KEY_SET_BYTES
from tests.authz_service.minting import key, key_set
from tests.raw_http import Behaviour, Endless, Endpoint, answering, response, self_signed

KEYS = key_set(key("ES256"))


async def fetched(endpoint: Endpoint) -> bytes:
    """Fetch once."""
    async with endpoint.running():
        return (await KeyEndpoint(endpoint.uri).fetch()).text


def problem(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> str:
    """Fetching fails; the reason."""
    with pytest.raises(KeySourceError) as caught:
        asyncio.run(fetched(Endpoint(behaviour, tls)))
    return str(caught.value)


def test_a_key_set_is_fetched_as_it_is_sent() -> None:
    """With one GET that asks for JSON."""
    endpoint = Endpoint(answering(response(KEYS)))
    assert asyncio.run(fetched(endpoint)) == KEYS
    assert len(endpoint.requests) == 1
    assert endpoint.requests[0].startswith("GET /jwks.json HTTP/1.1\r\n")
    assert "application/json" in endpoint.requests[0]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_refused_and_not_followed(status: str) -> None:
    """It could lead off the host that is trusted."""
    requests: list[str] = []

    async def run() -> None:
        async with Endpoint(answering(response(KEYS))).running() as other:
            moved = Endpoint(answering(response(b"", status, f"Location: {other.uri}\r\n")))
            try:
                await fetched(moved)
            finally:
                requests.extend(other.requests)

    with pytest.raises(KeySourceError, match=f"answered {status[:3]}"):
        asyncio.run(run())
    assert requests == []


@pytest.mark.parametrize(
    "status", ["201 Created", "204 No Content", "304 Not Modified", "401 No", "404 No", "500 Oh", "503 Oh"]
)
def test_any_answer_but_ok_is_refused(status: str) -> None:
    """Even with keys in it."""
    assert f"answered {status[:3]}" in problem(
        answering(response(b"" if status[:3] in {"204", "304"} else KEYS, status))
    )


def test_an_answer_at_the_bound_is_taken() -> None:
    """Whether it is a key set is for others to say."""
    body = KEYS.ljust(MAX_KEY_SET_BYTES)
    assert asyncio.run(fetched(Endpoint(answering(response(body))))) == body


def test_an_answer_that_is_too_large_is_refused() -> None:
    """By its announced length or without one."""
    body = KEYS.ljust(MAX_KEY_SET_BYTES + 1)
    assert "more than" in problem(answering(response(body)))
    assert "more than" in problem(answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body))


def test_an_endless_chunked_answer_is_cut() -> None:
    """Soon after the bound, not when time runs out."""
    endless = Endless()
    assert "more than" in problem(endless)
    assert endless.sent < 100 * MAX_KEY_SET_BYTES


def test_a_small_answer_that_unpacks_to_a_huge_one_is_refused() -> None:
    """Nothing is unpacked."""
    packed = gzip.compress(b" " * (64 * MAX_KEY_SET_BYTES))
    assert len(packed) < MAX_KEY_SET_BYTES
    assert "packed answer" in problem(answering(response(packed, headers="Content-Encoding: gzip\r\n")))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
def test_an_answer_that_is_no_http_is_refused(data: bytes) -> None:
    """Broken, cut off or of another protocol."""
    text = problem(answering(data))
    assert text.startswith("http://127.0.0.1:")
    assert "cannot be fetched" in text


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_a_silent_endpoint_is_given_up(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it falls silent."""
    monkeypatch.setattr(jwks_http, "FETCH_SECONDS", 0.2)

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await asyncio.sleep(60)

    assert "did not answer within 0.2 s" in problem(behave)


def test_a_trickling_endpoint_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is on the whole exchange, not on the pauses in it."""
    monkeypatch.setattr(jwks_http, "FETCH_SECONDS", 0.4)

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    started = time.monotonic()
    assert "did not answer within 0.4 s" in problem(behave)
    assert time.monotonic() - started < 20


def test_nobody_at_the_address_is_told_as_such() -> None:
    """An operator sees the reason at once."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(KeySourceError, match="cannot be reached: "):
            asyncio.run(KeyEndpoint(uri).fetch())


@pytest.mark.parametrize("uri", ["", "nonsense", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:0/", "http://[::1/"])
def test_an_address_that_is_none_is_refused(uri: str) -> None:
    """The configuration refuses most of them before."""
    with pytest.raises(KeySourceError):
        asyncio.run(KeyEndpoint(uri).fetch())


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    """Otherwise anyone on the way could put in keys of his own."""
    text = problem(answering(response(KEYS)), self_signed(tmp_path))
    assert "certificate is not accepted: self-signed certificate" in text


def test_the_lifetime_of_an_answer_goes_with_its_keys() -> None:
    """As the issuer's headers tell it."""

    async def run() -> Fetched:
        answer = response(KEYS, headers="Cache-Control: public, max-age=600\r\nAge: 60\r\n")
        async with Endpoint(answering(answer)).running() as endpoint:
            return await KeyEndpoint(endpoint.uri).fetch()

    assert asyncio.run(run()) == Fetched(KEYS, 540.0)


def test_no_text_holds_what_of_an_address_may_be_a_secret() -> None:
    """Its query, and the name and password before its host."""

    async def run() -> None:
        async with Endpoint(answering(response(b"", "500 Oh"))).running() as endpoint:
            uri = endpoint.uri.replace("://", "://user:secret@") + "?key=secret"
            await KeyEndpoint(uri).fetch()

    with pytest.raises(KeySourceError, match=r"http://127\.0\.0\.1:\d+/jwks\.json answered 500") as caught:
        asyncio.run(run())
    assert "secret" not in str(caught.value)
