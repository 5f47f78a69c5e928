"""PEM blocks in a text (RFC 7468), read as leniently as OPA does: what stands between blocks is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from authz_service.rego_engine.builtins.octets import from_base64
from authz_service.rego_engine.errors import BuiltinFault

_BEGIN = "-----BEGIN "
_END = "-----END "
_DASHES = "-----"
_NO_BLANKS = str.maketrans("", "", " \t")


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its label (CERTIFICATE, PUBLIC KEY …), its octets, and where the text goes on after it."""

    label: str
    octets: bytes
    end: int


def is_pem(text: str) -> bool:
    """Whether a text starts as PEM does; else it is taken for base64."""
    return text.startswith("-----BEGIN")


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a text; one that is broken is passed over."""
    label: str | None = None
    body: list[str] = []
    end = 0
    for whole in text.split("\n"):
        end = min(end + len(whole) + 1, len(text))
        line = whole.rstrip(" \t\r")
        if line.startswith(_BEGIN) and line.endswith(_DASHES):
            label, body = line[len(_BEGIN) : -len(_DASHES)], []
        elif label is None:
            continue
        elif line.startswith(_END):
            found = _octets(body) if line == f"{_END}{label}{_DASHES}" else None
            if found is not None:
                yield Block(label, found, end)
            label = None
        else:
            body.append(line)


def _octets(body: list[str]) -> bytes | None:
    """Return what a block's lines stand for: headers (`name: value`) come first and are left out (RFC 1421)."""
    start = 0
    while start < len(body) and ":" in body[start]:
        start += 1
    try:
        return from_base64("".join(body[start:]).translate(_NO_BLANKS))
    except BuiltinFault:
        return None
