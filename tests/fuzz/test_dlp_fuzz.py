"""A hundred thousand broken texts for detection, as many broken JSON lines and bodies of every kind: `make fuzz`.

Each text holds values and near misses of the corpus that accuracy is measured on, with a few bytes changed, so that
most detectors get far. Whatever comes, spans lie in order and apart, the cheap look never says no where something is
found, and what is redacted holds nothing more. However a body is cut, a view reads the same of it, and leaves out none
of its bytes.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Mapping

import pytest

from authz_service.dlp.detectors import EVERY
from authz_service.dlp.json_lines import BrokenLine, hits, records
from authz_service.dlp.long_texts import scan_long_text
from authz_service.dlp.redactions import redact
from authz_service.dlp.scan import Scanner
from authz_service.dlp.views import escaped
from authz_service.dlp.views.escaped import EscapedView
from authz_service.dlp.views.json_text import JsonView
from authz_service.dlp.views.opening import open_view
from authz_service.dlp.views.piece import Syntax, View
from authz_service.dlp.views.sse import SseView
from bench.dlp_corpus import corpus
from tests.fuzz.test_ratelimit_fuzz import fuzz

pytestmark = pytest.mark.long

MAX_HELD = 256  # bytes that a view may hold back
VIEWS: Mapping[str, Callable[[], View]] = {
    "text": lambda: EscapedView(escaped.TEXT),
    "form": lambda: EscapedView(escaped.FORM),
    "XML": lambda: EscapedView(escaped.XML),
    "quoted-printable": lambda: EscapedView(escaped.QUOTED_PRINTABLE),
    "JSON": JsonView,
    "JSON with numbers as strings": lambda: JsonView(numbers=Syntax.JSON_NUMBER),
    "JSON lines": lambda: JsonView(lines=True),
    "events": SseView,
    "multipart": lambda: open_view('multipart/form-data; boundary="b"'),
    "a kind that nobody tells": lambda: open_view(""),
}
SCANNER = Scanner(EVERY)
TEXTS = [sample.text.encode()[-600:] for sample in corpus(7, 20, 10)]
PIECES = [
    b"-----BEGIN ", b" PRIVATE KEY-----\n", b"-----END ", b"password=",
    b'"ssn": ', b"://a:", b"@", b".", b"-", b" ", b"\n",
    b"\0", b"\xff", b"\xe2\x80\x8b", b"\xc2\xa0", b"0", b"9", b"=", b'"', b"\\u0031",
    b"&#49;", b"&amp;", b"=31", b"=\r\n", b"\ndata: ", b"\nid: 1\n\n", "\uff11\u2011".encode(),
    b"%31", b"eyJ", b"AKIA", b"sk-", b"://",
]  # fmt: skip


def made_up(seed: random.Random) -> bytes:
    """A text or two, with a few bytes changed, pieces put in, and parts taken out, doubled or moved."""
    out = bytearray(b"".join(seed.choices(TEXTS, k=seed.choice([1, 1, 2]))))
    for _ in range(seed.choice([0, 1, 2, 5])):
        at, length = seed.randrange(len(out) + 1), seed.choice([1, 1, 2, 5, 40])
        match seed.randrange(5):
            case 0:
                out[at : at + 1] = bytes([seed.randrange(256)])
            case 1:
                out[at:at] = seed.choice(PIECES) * seed.choice([1, 1, 1, 50])
            case 2:
                del out[at : at + length]
            case 3:
                out[at:at] = out[at : at + length] * seed.choice([1, 1, 20])
            case _:
                piece = out[at : at + length]
                del out[at : at + length]
                to = seed.randrange(len(out) + 1)
                out[to:to] = piece
    return bytes(out)


def test_no_text_breaks_the_scanner() -> None:
    def one(seed: random.Random) -> str:
        text = made_up(seed)
        spans = scan_long_text(text, SCANNER)
        position = 0
        for span in spans:
            assert position <= span.start < span.end <= len(text), text
            assert 0 < span.confidence <= 1, text
            position = span.end
        assert not SCANNER.scan(text) or SCANNER.suspects(text), text
        assert not scan_long_text(redact(text, spans), SCANNER), text
        return "found" if spans else "nothing found"

    fuzz("texts", one)


def test_no_line_breaks_the_reader_of_json_lines() -> None:
    def one(seed: random.Random) -> str:
        lines = [json.dumps({"id": seed.random(), "text": made_up(seed).decode("utf-8", "replace")}).encode()]
        for _ in range(seed.choice([0, 1, 3])):
            line = bytearray(lines[0])
            at = seed.randrange(len(line))
            line[at : at + seed.choice([0, 1, 9])] = seed.choice(PIECES)
            lines.append(bytes(line))
        outcome = "read"
        for record in records(io.BytesIO(b"\n".join(lines)).readline):
            if isinstance(record, BrokenLine):
                outcome = "told of"
                continue
            for hit in hits(record.text, SCANNER):
                assert 0 <= hit.start < hit.end <= len(record.text), record.text
        return outcome

    fuzz("JSON lines", one)


def read(view: View, parts: list[bytes]) -> tuple[bytes, bytes, int]:
    """What came and what it reads as, each joined, and the most that was held back."""
    raw = text = b""
    came = most = 0
    for part in parts:
        pieces = view.feed(part)
        raw += b"".join(piece.raw for piece in pieces)
        text += b"".join(piece.text for piece in pieces)
        came += len(part)
        most = max(most, came - len(raw))
    pieces = view.finish()
    raw += b"".join(piece.raw for piece in pieces)
    text += b"".join(piece.text for piece in pieces)
    return raw, text, most


@pytest.mark.parametrize("name", VIEWS)
def test_no_body_is_read_otherwise_for_how_it_is_cut(name: str) -> None:
    def one(seed: random.Random) -> str:
        body = made_up(seed)
        if name.startswith("JSON"):
            body = json.dumps(body.decode("latin-1")).encode()[: seed.choice([None, -9])] + body[:40]
        if name == "multipart":
            body = body.replace(b"\n", b'\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n')
        cuts = sorted(seed.choices(range(len(body) + 1), k=seed.choice([1, 3, 30])))
        parts = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
        whole_raw, whole_text, _ = read(VIEWS[name](), [body])
        raw, text, held = read(VIEWS[name](), parts)
        assert raw == whole_raw == body, body
        assert text == whole_text, (body, parts)
        assert held <= MAX_HELD, (body, parts)
        return "reads as it stands" if text == body else "reads otherwise"

    fuzz(f"bodies of {name}", one)
