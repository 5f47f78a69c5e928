"""One made-up value for each detector, and where it stands in what was received, whichever way it is written."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, unquote_to_bytes

import brotli
import zstandard

from authz_service.dlp.detectors import EVERY, Detector
from authz_service.dlp.scan import Scanner

BEGINNING = 8  # bytes by which traces are looked up; none is shorter
HALF = 12  # bytes of a half that tell a secret, and nothing else
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")


@dataclass(frozen=True)
class Canary:
    """`text` is found wherever it stands, as it brings the words that it needs; `secret` is what must go."""

    name: str
    entity: str
    text: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @property
    def line(self) -> bytes:
        """The text on one line, as a key in an environment variable is written."""
        return self.text.replace(b"\n", rb"\n")

    @property
    def traces(self) -> frozenset[bytes]:
        """How it can be written, and each half of it where that tells it."""
        half = len(self.secret) // 2
        halves = (self.secret[:half], self.secret[half:]) if half >= HALF else ()
        return frozenset(form for part in (self.secret, *halves) for form in _forms(part))


def _forms(value: bytes) -> Iterator[bytes]:
    text = value.decode()
    yield value
    yield value.replace(b"\n", rb"\n")  # as `Canary.line` writes it
    yield value.hex().encode()
    for escaped in (json.dumps(text), json.dumps(json.dumps(text)[1:-1])):
        yield escaped[1:-1].encode()
        yield escaped[1:-1].replace("/", "\\/").encode()
    for quoted in (quote(text), quote(text, safe=""), quote_plus(text)):
        yield quoted.encode()
        yield re.sub("%..", lambda match: match[0].lower(), quoted).encode()
    for encoded in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):  # wherever it begins in what is encoded; without the letters that neighbours change
            yield encoded(bytes(shift) + value)[-(-shift * 8 // 6) : (shift + len(value)) * 8 // 6]


def _canary(detector: Detector) -> Canary:
    assert detector.example is not None
    text = detector.example()
    (span, *_) = Scanner((detector,)).scan(text)
    return Canary(detector.name, detector.entity, text, text[span.start : span.end])


CANARIES = tuple(map(_canary, EVERY))
_TRACES: dict[bytes, list[tuple[bytes, str]]] = {}
for _each in CANARIES:
    for _trace in _each.traces:
        _TRACES.setdefault(_trace[:BEGINNING], []).append((_trace, _each.name))
NUMBERS = tuple(canary for canary in CANARIES if canary.secret.isdigit())


def names_in(data: bytes) -> list[str]:
    """Which canaries stand in the bytes: as they are, unescaped, or out of base64."""
    found = {name for reading in _readings(data) for name in _names_in_one(reading)}
    return [canary.name for canary in CANARIES if canary.name in found]


def _names_in_one(data: bytes) -> Iterator[str]:
    for beginning in _TRACES.keys() & {data[at : at + BEGINNING] for at in range(len(data))}:
        yield from (name for trace, name in _TRACES[beginning] if trace in data)


def _readings(data: bytes) -> Iterator[bytes]:
    yield data
    yield data.replace(b"\ndata: ", b"\n")  # lines of one event
    yield re.sub(rb"\\u00([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), data)
    yield html.unescape(data.decode("latin-1")).encode("latin-1", "replace")
    yield unquote_to_bytes(data)
    yield unquote_to_bytes(data.replace(b"+", b" "))
    runs = (run.translate(bytes.maketrans(b"-_", b"+/")) for run in _BASE64.findall(data))
    yield b"\n".join(base64.b64decode(run[: len(run) // 4 * 4]) for run in runs)


def packed(data: bytes, coding: str) -> bytes:
    """The bytes in a content coding."""
    match coding:
        case "gzip":
            return gzip.compress(data)
        case "deflate":
            return zlib.compress(data)
        case "br":
            return bytes(brotli.compress(data))
        case "zstd":
            return zstandard.compress(data)
        case _:
            return data


def unpacked(data: bytes, coding: str) -> bytes:
    """The bytes out of a content coding."""
    match coding:
        case "gzip":
            return gzip.decompress(data)
        case "deflate":
            return zlib.decompress(data)
        case "br":
            return bytes(brotli.decompress(data))
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(data)
        case _:
            return data
