"""A hundred thousand broken texts for detection, and as many broken JSON lines: `make fuzz`.

Each text holds values and near misses of the corpus that accuracy is measured on, with a few bytes changed, so that
most detectors get far. Whatever comes, spans lie in order and apart, the cheap look never says no where something is
found, and what is redacted holds nothing more.
"""

from __future__ import annotations

import io
import json
import random

import pytest

from authz_service.dlp.detectors import EVERY
from authz_service.dlp.json_lines import BrokenLine, hits, records
from authz_service.dlp.long_texts import scan_text
from authz_service.dlp.redactions import redact
from authz_service.dlp.scan import Scanner
from bench.dlp_corpus import corpus
from tests.fuzz.test_ratelimit_fuzz import fuzz

pytestmark = pytest.mark.long

SCANNER = Scanner(EVERY)
TEXTS = [sample.text.encode()[-600:] for sample in corpus(7, 20, 10)]
PIECES = [
    b"-----BEGIN ", b" PRIVATE KEY-----\n", b"-----END ", b"password=",
    b'"ssn": ', b"://a:", b"@", b".", b"-", b" ", b"\n",
    b"\0", b"\xff", b"\xe2\x80\x8b", b"\xc2\xa0", b"0", b"9", b"=", b'"', b"\\u0031", b"%31", b"eyJ", b"AKIA", b"sk-", b"://",
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
        spans = scan_text(text, SCANNER)
        position = 0
        for span in spans:
            assert position <= span.start < span.end <= len(text), text
            assert 0 < span.confidence <= 1, text
            position = span.end
        assert not spans or SCANNER.suspects(text), text
        assert not scan_text(redact(text, spans), SCANNER), text
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
