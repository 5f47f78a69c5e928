"""A value for every detector, sent everywhere through the whole gateway: none arrives, none stands in any output."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from urllib.parse import quote, urlencode

import pytest

from tests.e2e.bodies_stack import LAST, chunk, head
from tests.e2e.canaries import CANARIES, NUMBERS, Canary, names_in, packed, unpacked
from tests.e2e.canary_stack import ACCESS, Arrived, Pairs, Rig
from tests.e2e.canary_stack import running as beside
from tests.e2e.stack import running

pytestmark = pytest.mark.e2e

POLICY = "package agent_gateway\n\ndecision := true\n"
SETTINGS = {"dlp": {"actions": [{"action": "replace", "direction": way} for way in ("request", "response")]}}
TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
    "html": "text/html",
    "ndjson": "application/x-ndjson",
    "multipart": "multipart/form-data; boundary=between",
    "sse": "text/event-stream",
}
ENTITIES = {canary.entity for canary in CANARIES}
CHUNK = 97  # bytes; a prime, so that canaries are cut in ever other places


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("canaries")
    (folder / "rego").mkdir()
    (folder / "rego" / "main.rego").write_text(POLICY)
    (folder / "more.yaml").write_text(json.dumps(SETTINGS))
    options = ("--policies", str(folder / "rego"), "--authz-settings", str(folder / "more.yaml"))
    with running(folder / "stack", *options) as stack, beside(folder, stack) as started:
        yield started
        told = what_is_told(started)  # of all that was sent here, whichever tests that were
        assert told == {}


class Exchange:
    """One request, and what came of it on both sides."""

    def __init__(
        self,
        rig: Rig,
        target: str,
        headers: Pairs = (),
        chunks: Sequence[bytes] = (),
        trailers: Pairs = (),
        *,
        http2: bool,
    ) -> None:
        rig.upstream.received.clear()
        self.answer: Arrived = rig.send(target, headers, chunks, trailers, http2=http2)
        self.upstream = bytes(rig.upstream.received)
        self.seen = rig.upstream.seen.get(target)

    def request_is_clean(self, coding: str = "") -> None:
        """Nothing came to the upstream, nor did anything come back."""
        body = self.seen.body if self.seen is not None else b""
        arrived = names_in(self.upstream + b"\n" + unpacked(body, coding if body else ""))
        assert arrived == []
        self.response_is_clean()

    def response_is_clean(self, unpacked_body: bytes = b"") -> None:
        """Nothing came to the client."""
        arrived = names_in(self.answer.raw + b"\n" + unpacked_body)  # apart, so that a failure shows names alone
        assert arrived == []

    def passed(self, received: bytes, told: int = len(CANARIES)) -> None:
        """What is told instead arrived, once for each canary at least."""
        assert self.answer.status == HTTPStatus.OK
        count = received.count(b"REDACTED")
        assert count >= told

    def is_refused(self) -> None:
        assert self.seen is None
        assert 400 <= self.answer.status < 500


def texts(canaries: Sequence[Canary]) -> list[str]:
    return [canary.text.decode() for canary in canaries]


def lines(canaries: Sequence[Canary]) -> list[str]:
    return [canary.line.decode() for canary in canaries]


def in_base64(canaries: Sequence[Canary], words: bytes = b"what was written down ") -> list[str]:
    """Behind words, as what does not call itself base64 is looked at from a length on."""
    return [base64.b64encode(words + canary.text).decode() for canary in canaries]


def parts(canaries: Sequence[Canary]) -> bytes:
    """Each as a text part, and as a part that is JSON."""
    found = b""
    for place, canary in enumerate(canaries):
        found += b'--between\r\nContent-Disposition: form-data; name="t%d"\r\n\r\n%s\r\n' % (place, canary.text)
        found += b'--between\r\nContent-Disposition: form-data; name="j%d"\r\n' % place
        found += b"Content-Type: application/json\r\n\r\n%s\r\n" % json.dumps({"note": canary.text.decode()}).encode()
    return found + b"--between--\r\n"


def in_escapes(canaries: Sequence[Canary]) -> bytes:
    r"""JSON with each character as `\u0041`."""
    escaped = ("".join(f"\\u{ord(each):04x}" for each in text) for text in texts(canaries))
    return b"[%s]" % ", ".join(f'"{text}"' for text in escaped).encode()


def events(canaries: Sequence[Canary]) -> bytes:
    """Live events with heartbeats between them."""
    told = [canary.text.decode().replace("\n", "\ndata: ") for canary in canaries]
    return "".join(f": heartbeat\n\nevent: note\ndata: {text}\n\n" for text in told).encode()


# By name: the type, and what it makes of canaries.
BODIES: dict[str, tuple[str, Callable[[Sequence[Canary]], bytes]]] = {
    "JSON values": ("json", lambda canaries: json.dumps({"notes": texts(canaries)}).encode()),
    "JSON keys": ("json", lambda canaries: json.dumps(dict.fromkeys(texts(canaries), True)).encode()),
    "JSON in JSON": ("json", lambda canaries: json.dumps({"text": json.dumps({"notes": texts(canaries)})}).encode()),
    "JSON in escapes": ("json", in_escapes),
    "base64 in JSON": ("json", lambda canaries: json.dumps({"files": in_base64(canaries)}).encode()),
    "form values": ("form", lambda canaries: urlencode([("note", text) for text in texts(canaries)]).encode()),
    "form names": ("form", lambda canaries: urlencode([(text, "1") for text in texts(canaries)]).encode()),
    "multipart": ("multipart", parts),
    "text": ("text", lambda canaries: "\n\n".join(texts(canaries)).encode()),
    "HTML": ("html", lambda canaries: "\n".join(f"<p>{html.escape(text)}</p>" for text in texts(canaries)).encode()),
    "NDJSON": ("ndjson", lambda canaries: b"".join(b"%s\n" % json.dumps({"n": t}).encode() for t in texts(canaries))),
    "SSE": ("sse", events),
}
HEADERS: dict[str, Callable[[Sequence[Canary]], list[str]]] = {
    "plain": lines,
    "quoted": lambda canaries: [quote(text, safe="") for text in texts(canaries)],
    "base64": in_base64,
    "named base64": lambda canaries: [f"=?base64?{text}?=" for text in in_base64(canaries, b"")],
}
PROTOCOLS = pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
CODINGS = ("gzip", "deflate", "br", "zstd")
PACKED = ("JSON values", "SSE")  # what is tried in each coding: the view of a body knows nothing of that
EACH_BODY = pytest.mark.parametrize(
    ("kind", "coding"), [*((kind, "") for kind in BODIES), *((kind, coding) for kind in PACKED for coding in CODINGS)]
)
EACH_HEADER = pytest.mark.parametrize("form", HEADERS)


def fields(form: str) -> list[tuple[str, str]]:
    return [(f"x-n-{place}", value) for place, value in enumerate(HEADERS[form](CANARIES))]


def cut(data: bytes) -> list[bytes]:
    return [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]


def of(kind: str, coding: str) -> list[tuple[str, str]]:
    more = [("content-encoding", coding)] if coding else []
    return [("content-type", TYPES[BODIES[kind][0]]), *more]


def test_each_would_be_known_again_wherever_it_stood() -> None:
    """What is looked for below can be found: in each body as it is sent, and in each header."""
    sent = {name: make(CANARIES) for name, (_, make) in BODIES.items()}
    sent |= {form: "\n".join(make(CANARIES)).encode() for form, make in HEADERS.items()}
    sent["query"] = urlencode([("q", text) for text in texts(CANARIES)]).encode()
    everyone = [canary.name for canary in CANARIES]
    assert {where: names_in(data) for where, data in sent.items()} == dict.fromkeys(sent, everyone)
    halves = b" ".join(canary.secret[len(canary.secret) // 2 :] for canary in CANARIES)
    known = names_in(halves)
    assert "jwt" in known


@PROTOCOLS
class TestRequests:
    @EACH_HEADER
    def test_none_in_a_header_arrives(self, rig: Rig, form: str, *, http2: bool) -> None:
        exchange = Exchange(rig, rig.answering(head(200, content_length="0")), http2=http2, headers=fields(form))
        exchange.request_is_clean()
        assert exchange.answer.status == HTTPStatus.OK
        if form in {"plain", "quoted"}:
            exchange.passed(exchange.upstream)

    @pytest.mark.parametrize("form", ["plain", "quoted"])
    def test_none_in_a_cookie_arrives(self, rig: Rig, form: str, *, http2: bool) -> None:
        cookies = "; ".join(f"n{place}={value}" for place, value in enumerate(HEADERS[form](CANARIES)))
        path = rig.answering(head(200, content_length="0"))
        exchange = Exchange(rig, path, http2=http2, headers=[("cookie", cookies)])
        exchange.request_is_clean()
        exchange.passed(exchange.upstream)

    @pytest.mark.parametrize("place", ["value", "name"])
    def test_none_in_a_query_arrives(self, rig: Rig, place: str, *, http2: bool) -> None:
        pairs = [(text, "1") if place == "name" else (f"q{at}", text) for at, text in enumerate(texts(CANARIES))]
        exchange = Exchange(rig, f"/query?{urlencode(pairs)}", http2=http2)
        exchange.request_is_clean()
        # Names that become one are one.
        exchange.passed(exchange.upstream, len(ENTITIES) if place == "name" else len(CANARIES))

    @EACH_BODY
    def test_none_in_a_body_arrives(self, rig: Rig, kind: str, coding: str, *, http2: bool) -> None:
        body = packed(BODIES[kind][1](CANARIES), coding)
        for chunks in ([body], cut(body)):
            path = rig.answering(head(200, content_length="0"))
            exchange = Exchange(rig, path, http2=http2, headers=of(kind, coding), chunks=chunks)
            exchange.request_is_clean(coding)
            assert exchange.answer.status == HTTPStatus.OK
            assert exchange.seen is not None
            if kind != "base64 in JSON":
                exchange.passed(unpacked(exchange.seen.body, coding))

    def test_none_in_a_trailer_arrives(self, rig: Rig, *, http2: bool) -> None:
        path = rig.answering(head(200, content_length="0"))
        exchange = Exchange(rig, path, http2=http2, chunks=[b"a", b"b"], trailers=fields("plain"))
        exchange.request_is_clean()
        exchange.passed(exchange.upstream)


class TestRequestsThatCannotBeRewritten:
    @pytest.mark.parametrize("canary", CANARIES, ids=lambda canary: canary.name)
    def test_a_path_with_one_is_refused(self, rig: Rig, canary: Canary) -> None:
        exchange = Exchange(rig, f"/people/{quote(canary.text, safe='')}", http2=True)
        exchange.request_is_clean()
        exchange.is_refused()

    @pytest.mark.parametrize("canary", NUMBERS, ids=lambda canary: canary.name)
    def test_a_number_in_json_is_refused(self, rig: Rig, canary: Canary) -> None:
        key = canary.text.removesuffix(canary.secret).decode().strip() or "n"
        body = b"{%s: %s}" % (json.dumps(key).encode(), canary.secret)
        exchange = Exchange(rig, "/number", http2=False, headers=of("JSON values", ""), chunks=[body])
        exchange.request_is_clean()
        exchange.is_refused()


@PROTOCOLS
class TestResponses:
    def test_none_in_a_header_arrives(self, rig: Rig, *, http2: bool) -> None:
        for form in HEADERS:
            told = {name.replace("-", "_"): value for name, value in fields(form)}
            exchange = Exchange(rig, rig.answering(head(200, content_length="0", **told)), http2=http2)
            exchange.response_is_clean()
            assert exchange.answer.status == HTTPStatus.OK
            if form in {"plain", "quoted"}:
                exchange.passed(exchange.answer.raw)

    def test_none_in_a_cookie_that_is_set_arrives(self, rig: Rig, *, http2: bool) -> None:
        told = "".join(f"set-cookie: n{at}={text}; Path=/\r\n" for at, text in enumerate(lines(CANARIES))).encode()
        path = rig.answering(b"HTTP/1.1 200 x\r\ncontent-length: 0\r\n" + told + b"\r\n")
        exchange = Exchange(rig, path, http2=http2)
        exchange.response_is_clean()
        assert exchange.answer.status == HTTPStatus.OK

    @EACH_BODY
    def test_none_in_a_body_arrives(self, rig: Rig, kind: str, coding: str, *, http2: bool) -> None:
        body = packed(BODIES[kind][1](CANARIES), coding)
        told = {name.replace("-", "_"): value for name, value in of(kind, coding)}
        whole = rig.answering(head(200, content_length=str(len(body)), **told), body)
        live = rig.answering(head(200, transfer_encoding="chunked", **told), *map(chunk, cut(body)), LAST)
        for path in (whole, live):
            exchange = Exchange(rig, path, http2=http2)
            received = unpacked(exchange.answer.body, exchange.answer.headers.get("content-encoding", ""))
            exchange.response_is_clean(received)
            assert exchange.answer.status == HTTPStatus.OK
            if kind != "base64 in JSON":
                exchange.passed(received)

    def test_none_in_a_trailer_arrives(self, rig: Rig, *, http2: bool) -> None:
        told = "".join(f"{name}: {value}\r\n" for name, value in fields("plain")).encode()
        path = rig.answering(head(200, transfer_encoding="chunked"), chunk(b"a"), b"0\r\n" + told + b"\r\n")
        exchange = Exchange(rig, path, http2=http2)
        exchange.response_is_clean()
        exchange.passed(exchange.answer.raw)


@pytest.mark.parametrize("canary", NUMBERS, ids=lambda canary: canary.name)
def test_a_response_with_a_number_in_json_does_not_arrive(rig: Rig, canary: Canary) -> None:
    key = canary.text.removesuffix(canary.secret).decode().strip() or "n"
    body = b"{%s: %s}" % (json.dumps(key).encode(), canary.secret)
    path = rig.answering(head(200, content_length=str(len(body)), content_type="application/json"), body)
    exchange = Exchange(rig, path, http2=False)
    assert exchange.answer.status == HTTPStatus.BAD_GATEWAY
    exchange.response_is_clean()


def test_heartbeats_arrive_between_the_events(rig: Rig) -> None:
    body = events(CANARIES)
    told = head(200, transfer_encoding="chunked", content_type=TYPES["sse"])
    exchange = Exchange(rig, rig.answering(told, *map(chunk, cut(body)), LAST), http2=True)
    heartbeats = exchange.answer.body.count(b": heartbeat\n\n")
    assert heartbeats == len(CANARIES)


def test_nothing_that_the_gateway_writes_or_tells_holds_one(rig: Rig) -> None:
    """What is let go changed, what is refused, and what a response is refused for. The fixture looks once more."""
    for target in (rig.answering(head(200, content_length="0")), f"/a/{quote(CANARIES[0].text)}"):
        body = BODIES["JSON values"][1](CANARIES)
        Exchange(rig, target, fields("plain"), [body], fields("plain"), http2=True)
    number = NUMBERS[0]
    body = b'{"%s": %s}' % (number.text.removesuffix(number.secret).strip() or b"n", number.secret)
    Exchange(rig, rig.answering(head(200, content_length=str(len(body)), content_type=TYPES["json"]), body), http2=True)
    told = what_is_told(rig)
    assert told == {}
    outputs = rig.outputs()
    marks = {name for name, mark in (("audit.jsonl", b"us_ssn"), (ACCESS, b'"POST"')) if mark in outputs[name]}
    assert marks == {"audit.jsonl", ACCESS}


def what_is_told(rig: Rig) -> dict[str, list[str]]:
    """The names of canaries by the output that they stand in."""
    time.sleep(1.0)  # logs are flushed twice a second
    return {name: names for name, data in rig.outputs().items() if (names := names_in(data))}
