"""What is wrong with a pattern that a user has written. Pure.

RE2 takes more than a stream can bear. A pattern must have an end, or a stream would be held back for ever; it must not
depend on where a text begins or ends, because a stream is searched in pieces; and it must not match what the structure
of a text is made of, double quotes and control characters, or a redaction would break that. Each complaint says what to
write instead.
"""

from __future__ import annotations

from collections.abc import Iterable

import re2

from authz_service.dlp.width import Shape, shape_of

MAX_PATTERN = 1_000  # characters
MAX_WIDTH = 2_048  # bytes of the longest match
MAX_PROGRAM = 5_000  # instructions that RE2 makes of a pattern
_STRUCTURE = frozenset([*range(0x20), 0x22, 0x7F])
_SHOWN = 3  # parts of a pattern that a complaint names

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.log_errors = False


def complaints_about(pattern: str) -> list[str]:
    """Everything that is wrong with a pattern, to be read behind its name; nothing where it can be used."""
    if len(pattern) > MAX_PATTERN:
        return [f"has more than {MAX_PATTERN} characters"]
    odd = next((character for character in pattern if not " " <= character <= "~"), None)
    if odd is not None:
        written = "".join(f"\\x{byte:02x}" for byte in odd.encode())
        return [f"has a character that is not printable ASCII: write its bytes in UTF-8, as (?:{written})"]
    try:
        compiled = re2.compile(pattern.encode(), _OPTIONS)
    except re2.error as error:
        return [f"is refused by RE2: {_reason(error)}"]
    found = [*_about_shape(shape_of(pattern))]
    if compiled.programsize > MAX_PROGRAM:
        found.append(f"is too large: RE2 makes {compiled.programsize} instructions of it, and {MAX_PROGRAM} may be")
    return found


def first_match(pattern: str, text: bytes) -> tuple[int, int] | None:
    """Where a pattern that there is no complaint about matches first, if it does."""
    match = re2.compile(pattern.encode(), _OPTIONS).search(text)
    return None if match is None else match.span()


def program_size(pattern: str) -> int:
    """How many instructions RE2 makes of a pattern that there is no complaint about."""
    return int(re2.compile(pattern.encode(), _OPTIONS).programsize)


def _reason(error: re2.error) -> str:
    text = error.args[0] if error.args else ""
    return text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)


def _about_shape(shape: Shape) -> Iterable[str]:
    if shape.longest is None:
        yield "repeats without an end: write {0,64} for *, {1,64} for + and {3,64} for {3,}"
    elif shape.longest > MAX_WIDTH:
        yield f"can match {shape.longest} bytes, and {MAX_WIDTH} may be"
    if shape.shortest == 0:
        yield "can match the empty text"
    if ends := _named(shape.places & {"^", "$", r"\A", r"\z"}):
        yield f"asks where a text begins or ends ({ends}), which a stream cannot tell: leave it out, or write \\b"
    if wide := _named(unit for unit in shape.units if _matches_structure(unit)):
        yield (
            f"can match a double quote or a control character ({wide}): "
            "write out what may stand there, such as [A-Za-z0-9 _-]"
        )


def _named(parts: Iterable[str]) -> str:
    """The first few."""
    found = sorted(parts)
    return ", ".join(found[:_SHOWN]) + (" and others" if len(found) > _SHOWN else "")


def _matches_structure(unit: str) -> bool:
    if unit.isalnum():
        return False
    matched = re2.compile(unit.encode("ascii"), _OPTIONS)
    return any(matched.fullmatch(bytes([byte])) is not None for byte in _STRUCTURE)
