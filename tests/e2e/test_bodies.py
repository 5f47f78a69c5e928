"""Bodies through the real Envoy: in each mode, with real clients, and no secret arrives anywhere."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import Iterator

import httpx
import pytest

from authz_service.exchange.body import Terms
from tests.authz_service.exchange.fixed_bodies import FORBIDDEN, HARMLESS, SECRET, redacted
from tests.e2e.bodies_stack import LAST, LIMIT, PATIENCE, Rig, Seen, chunk, head, running
from tests.e2e.stack import Gateway

pytestmark = pytest.mark.e2e
BODY = b'{"a": "%s", "b": "%s"}' % (SECRET, SECRET)
LOOKING = ("shipped", "duplex", "streamed", "buffered")  # the listeners that look at both bodies


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("bodies"), Terms(limit_bytes=LIMIT)) as started:
        yield started


@pytest.mark.parametrize("listener", LOOKING)
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
class TestEveryMode:
    def test_a_secret_in_a_request_never_reaches_the_upstream(self, rig: Rig, listener: str, *, http2: bool) -> None:
        path = rig.path()
        with rig.client(http2=http2) as client:
            answer = client.post(rig.url(listener, path), content=BODY, headers={"content-type": "application/json"})
        assert answer.status_code == 200, rig.log.read_text()[-2000:]
        assert rig.upstream.seen[path].body == redacted(BODY)
        assert answer.content == redacted(BODY)

    def test_a_secret_in_a_response_never_reaches_the_client(self, rig: Rig, listener: str, *, http2: bool) -> None:
        path = rig.answering(head(200, content_length=str(len(BODY)), content_type="application/json"), BODY)
        with rig.client(http2=http2) as client:
            assert client.get(rig.url(listener, path)).content == redacted(BODY)

    def test_a_body_without_a_length_is_looked_at(self, rig: Rig, listener: str, *, http2: bool) -> None:
        path = rig.path()
        with rig.client(http2=http2) as client:
            answer = client.post(rig.url(listener, path), content=iter([BODY[:12], BODY[12:20], BODY[20:]]))
        assert rig.upstream.seen[path].body == redacted(BODY)
        assert answer.content == redacted(BODY)

    def test_gzip_is_undone_and_done_again_both_ways(self, rig: Rig, listener: str, *, http2: bool) -> None:
        path = rig.path()
        with rig.client(http2=http2) as client:
            answer = client.post(
                rig.url(listener, path), content=gzip.compress(BODY), headers={"content-encoding": "gzip"}
            )
        assert gzip.decompress(rig.upstream.seen[path].body) == redacted(BODY)
        assert answer.content == redacted(BODY)
        assert answer.headers["content-encoding"] == "gzip"

    def test_an_unknown_coding_is_refused(self, rig: Rig, listener: str, *, http2: bool) -> None:
        path = rig.path()
        with rig.client(http2=http2) as client:
            answer = client.post(rig.url(listener, path), content=BODY, headers={"content-encoding": "compress"})
        assert answer.status_code == 415
        assert path not in rig.upstream.seen
        assert answer.json()["error"] == "unknown_coding"

    def test_an_unknown_coding_of_a_response_is_refused(self, rig: Rig, listener: str, *, http2: bool) -> None:
        path = rig.answering(head(200, content_length="4", content_encoding="aes128gcm"), b"abcd")
        with rig.client(http2=http2) as client:
            assert client.get(rig.url(listener, path)).status_code == 502

    def test_empty_bodies_pass(self, rig: Rig, listener: str, *, http2: bool) -> None:
        chunked = rig.answering(head(200, transfer_encoding="chunked"), LAST)
        empty = rig.answering(head(200, content_length="0"))
        with rig.client(http2=http2) as client:
            assert client.post(rig.url(listener, chunked), content=iter([b""])).status_code == 200
            assert client.post(rig.url(listener, empty), content=b"").status_code == 200

    def test_answers_without_a_body_pass(self, rig: Rig, listener: str, *, http2: bool) -> None:
        nothing = rig.answering(head(204))
        same = rig.answering(head(304, etag='"x"'))
        headers = rig.answering(head(200, content_length="1000"))
        with rig.client(http2=http2) as client:
            assert client.get(rig.url(listener, nothing)).status_code == 204
            assert client.get(rig.url(listener, same)).status_code == 304
            assert client.head(rig.url(listener, headers)).status_code == 200

    def test_a_secret_in_a_response_header_never_reaches_the_client(
        self, rig: Rig, listener: str, *, http2: bool
    ) -> None:
        path = rig.answering(head(200, content_length="2", x_note=f"a {SECRET.decode()}"), b"ok")
        with rig.client(http2=http2) as client:
            assert client.get(rig.url(listener, path)).headers["x-note"] == f"a {HARMLESS.decode()}"

    def test_a_large_body_passes_whole(self, rig: Rig, listener: str, *, http2: bool) -> None:
        body = (b"x" * 997 + SECRET) * 200
        path = rig.path()
        with rig.client(http2=http2) as client:
            answer = client.post(rig.url(listener, path), content=body)
        assert rig.upstream.seen[path].body == redacted(body)
        assert answer.content == redacted(body)

    def test_a_request_that_is_blocked_is_answered_and_does_not_arrive(
        self, rig: Rig, listener: str, *, http2: bool
    ) -> None:
        path = rig.path()
        with rig.client(http2=http2) as client:
            answer = client.post(rig.url(listener, path), content=b"it is " + FORBIDDEN)
        assert answer.status_code == 403
        assert answer.json()["error"] == "secret_found"
        assert answer.headers["content-type"] == "application/json"
        assert path not in rig.upstream.seen
        events = [each for each in rig.audit.events if each["decision_id"] == answer.json()["decision_id"]]
        assert [(each["code"], each["status"]) for each in events] == [("secret_found", 403)]

    def test_a_response_that_is_blocked_is_not_seen(self, rig: Rig, listener: str, *, http2: bool) -> None:
        path = rig.answering(head(200, content_length=str(len(FORBIDDEN))), FORBIDDEN)
        with rig.client(http2=http2) as client:
            try:
                answer = client.get(rig.url(listener, path))
            except httpx.HTTPError:  # its headers had gone
                assert listener == "streamed"
            else:
                assert answer.status_code == 502
                assert FORBIDDEN not in answer.content

    def test_an_upstream_that_breaks_off_ends_the_exchange(self, rig: Rig, listener: str, *, http2: bool) -> None:
        async def broken(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: Seen) -> None:
            writer.write(head(200, transfer_encoding="chunked") + chunk(b"the beginning"))
            await writer.drain()
            await asyncio.sleep(0.1)
            writer.transport.abort()

        with rig.client(http2=http2) as client:
            try:
                assert client.get(rig.url(listener, rig.script(broken))).status_code >= 500
            except httpx.HTTPError:
                assert listener != "buffered"


@pytest.mark.parametrize("listener", ["shipped", "duplex", "streamed"])
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_events_and_heartbeats_arrive_while_the_stream_is_open(
    rig: Rig, listener: str, coding: str, *, http2: bool
) -> None:
    go_on = asyncio.Event()

    async def events(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: Seen) -> None:
        packer = zlib.compressobj(wbits=31)

        def packed(text: bytes) -> bytes:
            return chunk(packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH) if coding else text)

        named = {"content-encoding": coding} if coding else {}
        writer.write(head(200, transfer_encoding="chunked", content_type="text/event-stream", **named))
        for text in (b"data: " + SECRET + b"\n\n", b": heartbeat\n\n"):
            writer.write(packed(text))
            await writer.drain()
            await go_on.wait()
            go_on.clear()
        writer.write(chunk(packer.flush()) + LAST if coding else LAST)

    with rig.client(http2=http2) as client, client.stream("GET", rig.url(listener, rig.script(events))) as answer:
        parts = answer.iter_bytes()
        for expected in (b"data: " + HARMLESS + b"\n\n", b": heartbeat\n\n"):
            got = b""
            while got != expected:
                got += next(parts)
            rig.loop.call_soon_threadsafe(go_on.set)
        assert b"".join(parts) == b""


@pytest.mark.parametrize("listener", ["duplex", "streamed"])
def test_a_request_begins_although_its_first_part_is_held_back(rig: Rig, listener: str) -> None:
    """Who streams a request may wait for an answer before there is more of it."""
    path = rig.path()
    begun = rig.upstream.awaited[path] = threading.Event()
    with rig.connect(listener) as client:
        client.sendall(b"POST %s HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" % path.encode())
        client.sendall(chunk(SECRET[:5]))
        assert begun.wait(PATIENCE)
        client.sendall(chunk(SECRET[5:] + b" end") + LAST)
        rig.until(lambda: path in rig.upstream.seen)
    assert rig.upstream.seen[path].body == HARMLESS + b" end"


@pytest.mark.parametrize("listener", LOOKING[:3])
def test_an_answer_begins_although_its_first_part_is_held_back(rig: Rig, listener: str) -> None:
    go_on = asyncio.Event()

    async def write(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: Seen) -> None:
        writer.write(head(200, transfer_encoding="chunked") + chunk(SECRET[:5]))
        await writer.drain()
        await go_on.wait()
        writer.write(chunk(SECRET[5:]) + LAST)

    path = rig.script(write)
    with rig.client() as client, client.stream("GET", rig.url(listener, path)) as answer:
        assert answer.status_code == 200
        rig.loop.call_soon_threadsafe(go_on.set)
        assert answer.read() == HARMLESS


@pytest.mark.parametrize("listener", ["shipped", "duplex", "buffered"])
def test_trailers_of_a_response_are_looked_at_and_arrive(rig: Rig, listener: str) -> None:
    path = rig.answering(
        head(200, transfer_encoding="chunked"), chunk(b"one " + SECRET[:4]), chunk(SECRET[4:] + b" the-S"),
        b"0\r\nx-note: " + SECRET + b"\r\n\r\n",
    )  # fmt: skip
    with rig.connect(listener) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nte: trailers\r\nconnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert SECRET not in received
    body, _, trailers = received.partition(b"\r\n\r\n")[2].rpartition(b"\r\n0\r\n")
    assert HARMLESS in body
    assert b"the-S" in body
    assert b"x-note: " + HARMLESS in trailers


@pytest.mark.parametrize("listener", ["shipped", "duplex", "buffered"])
def test_trailers_of_a_request_are_looked_at_and_arrive(rig: Rig, listener: str) -> None:
    path = rig.path()
    with rig.connect(listener) as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n".encode()
            + chunk(SECRET + b" the-S") + b"0\r\nx-note: " + SECRET + b"\r\n\r\n"
        )  # fmt: skip
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200")
    seen = rig.upstream.seen[path]
    assert seen.body == HARMLESS + b" the-S"
    assert seen.trailers["x-note"] == HARMLESS.decode()


def test_a_tail_that_trailers_would_cut_off_ends_a_streamed_exchange(rig: Rig) -> None:
    lost = rig.answering(head(200, transfer_encoding="chunked"), chunk(b"one the-S"), b"0\r\nx-note: a\r\n\r\n")
    whole = rig.answering(head(200, transfer_encoding="chunked"), chunk(b"one"), b"0\r\nx-note: a\r\n\r\n")
    with rig.client() as client:
        assert client.get(rig.url("streamed", whole)).content == b"one"
        with pytest.raises(httpx.HTTPError):
            client.get(rig.url("streamed", lost))


@pytest.mark.parametrize("listener", LOOKING)
@pytest.mark.parametrize("cut", range(1, len(SECRET)))
def test_a_secret_is_found_wherever_its_body_is_cut(rig: Rig, listener: str, cut: int) -> None:
    text = b"a " + SECRET + b" b"
    path = rig.answering(head(200, transfer_encoding="chunked"), chunk(text[: cut + 2]), chunk(text[cut + 2 :]), LAST)
    with rig.client() as client:
        answer = client.post(rig.url(listener, path), content=iter([text[: cut + 2], text[cut + 2 :]]))
    assert answer.content == redacted(text)
    assert rig.upstream.seen[path].body == redacted(text)


def test_a_body_over_the_limit_is_refused(rig: Rig) -> None:
    path = rig.path()
    with rig.client() as client:
        answer = client.post(rig.url("shipped", path), content=b"x" * (LIMIT + 1))
        assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")
        answer = client.post(rig.url("shipped", path), content=b"x" * (5 * LIMIT))
        assert answer.status_code == 413, "Envoy's own bound"
    assert path not in rig.upstream.seen


def test_a_stream_is_not_limited(rig: Rig) -> None:
    body = (b"y" * 1000 + SECRET) * 20_000
    path = rig.answering(head(200, content_length=str(len(body))), body)
    with rig.client() as client:
        assert client.get(rig.url("shipped", path)).content == redacted(body)


def test_the_partial_mode_is_refused(rig: Rig) -> None:
    path = rig.path()
    with rig.client() as client:
        assert client.post(rig.url("partial", path), content=b"x").status_code == 503
    assert path not in rig.upstream.seen


def test_bodies_pass_beside_where_a_route_says_so_and_headers_do_not(rig: Rig) -> None:
    path = rig.answering(head(200, content_length=str(len(BODY)), x_note=SECRET.decode()), BODY)
    with rig.client() as client:
        answer = client.post(rig.url("none", path), content=BODY, headers={"range": "bytes=0-1"})
    assert rig.upstream.seen[path].headers["range"] == "bytes=0-1"
    assert (answer.content, answer.headers["x-note"]) == (BODY, HARMLESS.decode())


def test_parts_of_bodies_are_neither_asked_for_nor_passed_on(rig: Rig) -> None:
    path = rig.answering(head(206, content_length="2", content_range="bytes 0-1/9"), b"ab")
    with rig.client() as client:
        asked = {"range": "bytes=0-1", "accept-encoding": "gzip;q=0.5, dcb, *"}
        answer = client.get(rig.url("shipped", path), headers=asked)
        assert (answer.status_code, answer.json()["error"]) == (502, "partial_content")
        headers = rig.upstream.seen[path].headers
        assert "range" not in headers
        assert headers["accept-encoding"] == "gzip;q=0.5"
        answer = client.put(rig.url("shipped", rig.path()), content=b"ab", headers={"content-range": "bytes 0-1/9"})
        assert (answer.status_code, answer.json()["error"]) == (400, "partial_content")


def test_digests_and_strong_tags_do_not_outlive_the_bytes_that_they_are_of(rig: Rig) -> None:
    path = rig.answering(
        head(200, content_length="2", etag='"x"', repr_digest="sha-256=:AA==:", accept_ranges="bytes"), b"ok"
    )
    with rig.client() as client:
        headers = client.get(rig.url("shipped", path)).headers
    assert headers["etag"] == 'W/"x"'
    assert "repr-digest" not in headers
    assert "accept-ranges" not in headers


def test_the_headers_that_mirror_an_argument_change_with_it(rig: Rig) -> None:
    path = rig.path()
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "t", "arguments": {"k": SECRET.decode()}},
    }
    with rig.client() as client:
        client.post(rig.url("shipped", path), json=call, headers={"mcp-param-key": SECRET.decode(), "mcp-name": "t"})
    seen = rig.upstream.seen[path]
    assert json.loads(seen.body)["params"]["arguments"]["k"] == HARMLESS.decode()
    assert seen.headers["mcp-param-key"] == HARMLESS.decode()
    assert seen.headers["mcp-name"] == "t"


def test_a_blocked_mcp_call_is_answered_as_one(rig: Rig) -> None:
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"k": FORBIDDEN.decode()}}
    with rig.client() as client:
        answer = client.post(rig.url("shipped", rig.path()), json=call, headers={"mcp-method": "tools/call"})
    assert answer.status_code == 403
    assert (answer.json()["id"], answer.json()["error"]["data"]["error"]) == (7, "secret_found")


def test_a_client_that_goes_away_ends_the_exchange_and_leaves_what_was_found(rig: Rig) -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: Seen) -> None:
        writer.write(head(200, transfer_encoding="chunked", content_type="text/event-stream"))
        while True:
            writer.write(chunk(b"data: " + SECRET + b"\n\n"))
            await writer.drain()
            await asyncio.sleep(0.02)

    path = rig.script(endless)
    before = len(rig.audit.events)
    with rig.client() as client, client.stream("GET", rig.url("shipped", path)) as answer:
        assert next(answer.iter_bytes())
    rig.until(lambda: any(each["code"] == "cut_off" for each in rig.audit.events[before:]))


class TestTheWholeGateway:
    """All filters and the detectors that ship."""

    def test_a_secret_in_a_body_is_redacted_and_its_decision_told_of_it(self, gateway: Gateway) -> None:
        ssn = "219-09-9998"
        body = json.dumps({"note": f"my number is {ssn}"}).encode()
        answer = gateway.send(
            "/bodies",
            gateway.token(),
            {"content-type": "application/json"},
            body=body,
        )
        assert json.loads(answer.seen()["body"]) == {"note": "my number is [REDACTED:us_ssn]"}
        event = gateway.audit(answer.headers["x-agent-gateway-decision-id"], schema="agent_gateway.audit.body/1")
        assert event["direction"] == "request"
        assert event["findings"][0]["entity"] == "us_ssn"
        assert ssn not in json.dumps(event)

    def test_an_argument_and_the_header_that_mirrors_it_agree(self, gateway: Gateway) -> None:
        ssn = "219-09-9998"
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {"n": ssn}}}
        headers = {
            "content-type": "application/json",
            "mcp-param-n": ssn,
        }
        answer = gateway.send("/mcp", gateway.token(), headers, body=json.dumps(call).encode())
        seen = answer.seen()
        assert json.loads(seen["body"])["params"]["arguments"]["n"] == seen["headers"]["mcp-param-n"]
        assert ssn not in answer.body

    def test_a_denial_passes_as_it_was_written(self, gateway: Gateway) -> None:
        answer = gateway.send("/bodies", None, body=b"{}")
        assert answer.status == 401
        assert answer.json()["error"] == "credential_missing"

    def test_a_body_of_a_mebibyte_passes_and_a_longer_one_does_not(self, gateway: Gateway) -> None:
        whole = b"x" * (1024 * 1024 - 1)
        assert len(gateway.send("/bodies", gateway.token(), body=whole).seen()["body"]) == len(whole)
        assert gateway.send("/bodies", gateway.token(), body=whole + b"xx").status == 413
