"""Bundles over HTTP: every way in which an endpoint can misbehave ends in bounded time with a fault."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest

from authz_service.policy.bundles import endpoint
from authz_service.policy.bundles.endpoint import BundleEndpoint, url_problem
from service_kit.faults import ConfigurationError
from tests.raw_http import Behaviour, Endless, Endpoint, answering, response

BUNDLE = b"\x1f\x8b\x08 any bytes"


def fetches(*answers: bytes, token_file: Path | None = None) -> tuple[list[bytes | None], list[str]]:
    """What one endpoint returns for these answers of its server, and what it asked for."""
    pending = list(answers)

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(pending.pop(0))

    async def run() -> tuple[list[bytes | None], list[str]]:
        async with Endpoint(behave).running() as server:
            endpoint = BundleEndpoint(server.uri, token_file)
            return [await endpoint.fetch() for _ in answers], server.requests

    return asyncio.run(run())


def problem(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> str:
    """Fetching fails; the reason."""

    async def run() -> None:
        async with Endpoint(behaviour, tls).running() as server:
            await BundleEndpoint(f"{server.uri}?secret=1").fetch()

    with pytest.raises(ConfigurationError) as caught:
        asyncio.run(run())
    (fault,) = caught.value.faults
    assert fault.source.endswith("/jwks.json")
    assert "secret" not in str(fault)
    return fault.text


def asked(requests: Sequence[str], name: str) -> list[str | None]:
    """A header of each request."""
    found = []
    for request in requests:
        headers = dict(line.split(": ", 1) for line in request.split("\r\n")[1:] if line)
        found.append(headers.get(name))
    return found


def test_a_bundle_is_fetched_as_it_is_packed() -> None:
    """Whatever the server calls its encoding: nothing is unpacked here."""
    for headers in ("", "Content-Encoding: gzip\r\n", "Content-Encoding: br\r\n", "Content-Type: text/html\r\n"):
        assert fetches(response(BUNDLE, headers=headers))[0] == [BUNDLE]


def test_what_has_not_changed_is_not_fetched_again() -> None:
    returned, requests = fetches(
        response(BUNDLE, headers='ETag: "v1"\r\n'),
        response(b"", "304 Not Modified"),
        response(b"new", headers='ETag: W/"v2"\r\n'),
        response(b"", "304 Not Modified"),
        response(b"newer"),
        response(b"newest"),
    )
    assert returned == [BUNDLE, None, b"new", None, b"newer", b"newest"]
    assert asked(requests, "If-None-Match") == [None, '"v1"', '"v1"', 'W/"v2"', 'W/"v2"', None]


def test_an_endpoint_that_forgets_asks_for_the_whole_bundle() -> None:
    async def run() -> list[str | None]:
        async with Endpoint(answering(response(BUNDLE, headers='ETag: "v1"\r\n'))).running() as server:
            endpoint = BundleEndpoint(server.uri)
            await endpoint.fetch()
            endpoint.forget()
            await endpoint.fetch()
            return asked(server.requests, "If-None-Match")

    assert asyncio.run(run()) == [None, None]


@pytest.mark.parametrize(
    "etag", ["v1", '"', '"a"b"', '"a b"', 'w/"a"', '"' + "x" * 2000 + '"', "*", '"\xe9"', '"a", "b"']
)
def test_an_etag_that_is_none_is_not_sent_back(etag: str) -> None:
    """Nor is it anything else that a server can make us say."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nETag: " + etag.encode("latin-1") + b"\r\n\r\nx"
    assert asked(fetches(answer, answer)[1], "If-None-Match") == [None, None]


def test_a_bundle_that_was_cut_off_is_fetched_again() -> None:
    """Its tag does not count, since its bytes never came."""

    async def run() -> list[str | None]:
        cut = b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Length: 99\r\n\r\nshort'
        async with Endpoint(answering(cut)).running() as server:
            endpoint = BundleEndpoint(server.uri)
            for _ in range(2):
                with pytest.raises(ConfigurationError, match="cannot be fetched"):
                    await endpoint.fetch()
            return asked(server.requests, "If-None-Match")

    assert asyncio.run(run()) == [None, None]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_refused_and_not_followed(status: str) -> None:
    """It could lead off the host that is trusted, and would take the token with it."""
    requests: list[str] = []

    async def run() -> None:
        async with Endpoint(answering(response(BUNDLE))).running() as other:
            moved = Endpoint(answering(response(b"", status, f"Location: {other.uri}\r\n")))
            async with moved.running():
                try:
                    await BundleEndpoint(moved.uri).fetch()
                finally:
                    requests.extend(other.requests)

    with pytest.raises(ConfigurationError, match=f"answered {status[:3]}"):
        asyncio.run(run())
    assert requests == []


@pytest.mark.parametrize(
    "status", ["201 Created", "204 No Content", "206 Partial", "304 Not Modified", "401 No", "404 No", "500 Oh"]
)
def test_any_answer_but_ok_is_refused(status: str) -> None:
    """Not changed since when, where nothing was there before?"""
    body = b"" if status[:3] in {"204", "304"} else BUNDLE
    assert problem(answering(response(body, status))) == f"answered {status[:3]}"


def test_an_answer_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MAX_ARCHIVE_BYTES", 100)
    assert fetches(response(b"x" * 100))[0] == [b"x" * 100]
    assert problem(answering(response(b"x" * 101))) == "sent more than 100 bytes"
    assert "more than" in problem(answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 101))


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon after the bound, not when time runs out."""
    monkeypatch.setattr(endpoint, "MAX_ARCHIVE_BYTES", 1024 * 1024)
    endless = Endless()
    assert "sent more than" in problem(endless)
    assert endless.sent < 100 * 1024 * 1024


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
def test_an_answer_that_is_no_http_is_refused(data: bytes) -> None:
    assert problem(answering(data)).startswith("cannot be fetched: ")


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_a_silent_endpoint_is_given_up(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FETCH_SECONDS", 0.2)

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await asyncio.sleep(60)

    assert problem(behave) == "did not answer within 0.2 s"


def test_nobody_at_the_address_is_told_as_such() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(ConfigurationError, match="cannot be reached: Connection refused"):
            asyncio.run(BundleEndpoint(url).fetch())


# The token


def test_a_token_is_read_anew_for_each_fetch(tmp_path: Path) -> None:
    """So that it may be replaced while we run."""
    file = tmp_path / "token"

    async def run() -> list[str | None]:
        async with Endpoint(answering(response(BUNDLE))).running() as server:
            endpoint = BundleEndpoint(server.uri, file)
            for token in ("one", "two.~+/==\n"):
                file.write_text(token)
                await endpoint.fetch()
            return asked(server.requests, "Authorization")

    assert asyncio.run(run()) == ["Bearer one", "Bearer two.~+/=="]


def test_without_a_token_none_is_sent() -> None:
    assert asked(fetches(response(BUNDLE))[1], "Authorization") == [None]


@pytest.mark.parametrize("content", [b"", b" \n", b"a b", b"a\r\nX-Evil: 1", b"\xff", b"a\0", b"x" * 20_000])
def test_a_file_that_holds_no_token_is_a_fault(tmp_path: Path, content: bytes) -> None:
    """Nobody is asked, and the text does not show it."""
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        fetches(response(BUNDLE), token_file=file)
    assert str(caught.value) == f"{file}: holds no bearer token of at most 16384 bytes"


def test_a_token_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="token: cannot be read: No such file"):
        fetches(response(BUNDLE), token_file=tmp_path / "token")


# The URL


@pytest.mark.parametrize(
    "url",
    [
        "https://bundles.example/a.tar.gz?x=1",
        "https://b:8443/",
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://localhost/",
    ],
)
def test_a_url_is_https_or_on_this_machine(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", "must be an https URL"),
        ("nonsense", "must be an https URL"),
        ("file:///etc/passwd", "must be an https URL"),
        ("ftp://127.0.0.1/", "must be an https URL"),
        ("https://", "must be an https URL"),
        ("http://bundles.example/", "must be https"),
        ("http://127.0.0.1.evil.example/", "must be https"),
        ("http://localhost@evil.example/", "must be https"),
        ("https://user:secret@bundles.example/", "must not hold a password"),
        ("https://b/#x", "must not have a fragment"),
        ("https://b:99999/", "is not a URL"),
        ("https://[::1/", "is not a URL"),
        ("https://b/\r\nX: 1", "is not a URL"),
        ("https://b/a b", "is not a URL"),
        ("https://bé/", "is not a URL"),
        ("https://b/" + "x" * 3000, "is not a URL"),
    ],
)
def test_any_other_url_is_refused(url: str, expected: str) -> None:
    """Before anybody is asked, and without a password in the text."""
    assert str(url_problem(url)).startswith(expected)
    with pytest.raises(ConfigurationError) as caught:
        BundleEndpoint(url)
    assert "secret" not in str(caught.value)
