"""Headers or trailers, of a request or of a response → what was found in them, and what they become. Pure.

A header is searched together with its name, which tells what a bare number in it is. A cookie is a place of its own.
Cookies and addresses are percent-encoded often, and names and titles written in words of RFC 2047: what stands in a
header so is found too.
"""

from __future__ import annotations

import socket
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from authz_service.dlp import encoded_words
from authz_service.dlp.actions import Direction
from authz_service.dlp.encoded import suspects
from authz_service.dlp.fields import Blocks, Field, Named, field_of, split
from authz_service.dlp.reading import outside, scan_text, start_of
from authz_service.dlp.scan import Scanner, Span
from authz_service.dlp.treatments import Exchange
from authz_service.model import Location

Pairs = Sequence[tuple[str, str]]

# Not rewritten: Envoy routes and frames by them, and refuses to let a filter change them.
FIXED_HEADERS: Final = frozenset({
    "host", "content-length", "transfer-encoding",
    ":authority", ":method", ":path", ":protocol", ":scheme", ":status",
})  # fmt: skip
# In which proxies write addresses, with each request; nothing is looked for where there is nothing but those.
_ADDRESS_HEADERS: Final = frozenset({"x-forwarded-for", "x-real-ip", "x-envoy-external-address"})
_MAX_ADDRESSES: Final = 20  # of one header; more of them are searched like any text
_COOKIES: Final = frozenset({"cookie", "set-cookie"})


@dataclass(frozen=True, slots=True)
class _Header:
    name: str
    value: str
    of_name: Field | None
    of_value: Field | None


@dataclass(frozen=True, slots=True)
class HeaderChanges:
    """`set` overwrites with the first value of a name and adds its others; `remove` takes a name out."""

    set: Pairs = ()
    remove: Sequence[str] = ()


NO_HEADER_CHANGES: Final = HeaderChanges()


@dataclass(frozen=True, slots=True)
class HeaderFields:
    """Headers in which something was found, and those of the same names."""

    headers: Sequence[_Header]

    def note(self, exchange: Exchange, direction: Direction) -> None:
        """Note down what was found, in the exchange."""
        for header in self.headers:
            for field in (header.of_name, header.of_value):
                if field is not None:
                    field.noted(exchange, direction)

    def treated(self, exchange: Exchange, direction: Direction, blocks: Blocks) -> HeaderChanges:
        """Return what to change, and note in `blocks` what does not pass.

        A header whose name holds a finding is removed: the brackets of a redaction are not for header names.
        """
        values: dict[str, list[str]] = {}
        changed: set[str] = set()
        removed: dict[str, None] = {}
        for header in self.headers:
            value = header.value
            if header.of_name is not None and header.of_name.noted(exchange, direction, blocks):
                removed[header.name] = None
            if header.of_value is not None:
                treated = header.of_value.treated(exchange, direction, blocks)
                if treated != header.of_value.text:
                    value = treated.decode("utf-8", "replace")
                    changed.add(header.name)
            values.setdefault(header.name, []).append(value)
        pairs = [(name, value) for name in values if name in changed and name not in removed for value in values[name]]
        return HeaderChanges(pairs, list(removed))


def searched(headers: Iterable[tuple[str, str]], passed_over: frozenset[str]) -> list[tuple[str, str]]:
    """Return the headers that are searched: all but those that are passed over, and addresses that proxies write."""
    return [
        pair
        for pair in headers
        if pair[0] not in passed_over and not (pair[0] in _ADDRESS_HEADERS and _holds_addresses(pair[1]))
    ]


def joined(headers: Pairs) -> bytes:
    """Return headers as one text, to be asked about at once: as they are written, and as they read."""
    text = "\n".join(map(": ".join, headers)).encode("utf-8", "replace")
    if b"=?" in text:
        text += b"\n" + encoded_words.read(text)
    return text + b"\n" + unquote_to_bytes(text) if b"%" in text else text


def scan_headers(headers: Pairs, scanner: Scanner, location: Location = Location.HEADER) -> HeaderFields | None:
    """Search headers, or trailers if that is the location; None where nothing is found. Names are lower-case."""
    if not suspects(joined(headers), scanner):
        return None
    found = [_scan(name, value, scanner, location) for name, value in headers]
    struck = {header.name for header in found if header.of_name or header.of_value}
    return HeaderFields([header for header in found if header.name in struck]) if struck else None


def _scan(name: str, value: str, scanner: Scanner, location: Location) -> _Header:
    written, text = name.encode("utf-8", "replace"), value.encode("utf-8", "replace")
    of_name, of_value = split(scan_text(written + b": " + text, scanner), len(written), len(written) + 2)
    beside, words = encoded_words.reworded(written + b": ", text, scanner)
    if beside:
        of_value = sorted([*of_value, *(rest for span in beside for rest in outside(span, of_value))], key=start_of)
    of_the_name = field_of(written, of_name, location, lambda _: "", scanner)
    shown = "" if of_the_name else name
    if name in _COOKIES and location is Location.HEADER:
        named = _cookie_names(text, of_value, alone=name == "set-cookie")
        return _Header(name, value, of_the_name, field_of(text, of_value, Location.COOKIE, named, scanner, words=words))
    return _Header(name, value, of_the_name, field_of(text, of_value, location, lambda _: shown, scanner, words=words))


def _cookie_names(text: bytes, spans: Sequence[Span], *, alone: bool) -> Named:
    """Return how findings in a header of cookies call their places: by the cookie's name, if none is in that.

    `alone`: there is one cookie, and what follows it says how to keep it.
    """
    ends = [span.end for span in spans]  # in order, as spans are apart: thousands of cookies can hold one each

    def named(position: int) -> str:
        start = 0 if alone else text.rfind(b";", 0, position) + 1
        stop = text.find(b";", start)
        end = text.find(b"=", start, stop if stop >= 0 else len(text))
        index = bisect_right(ends, start)
        if end < 0 or (index < len(spans) and spans[index].start < end):
            return ""
        return text[start:end].strip().decode("utf-8", "replace")

    return named


def _holds_addresses(value: str) -> bool:
    if _is_address(value):
        return True
    addresses = value.split(",", _MAX_ADDRESSES)
    return len(addresses) <= _MAX_ADDRESSES and all(_is_address(address.strip(" ")) for address in addresses)


def _is_address(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True
