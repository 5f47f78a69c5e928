"""Values of headers that repeat what stands in an MCP message: as they are, or as `=?base64?…?=`. Pure.

That form is for what no header can hold as it is: letters beyond ASCII, line ends, spaces around, and a value that
itself looks so (Model Context Protocol, revision 2026-07-28).
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

BEGIN: Final = "=?base64?"
END: Final = "?="


def read_value(written: str) -> str | None:
    """Undo the encoding of a header's value; None where it is broken, since readers would differ in what it says."""
    text = written.strip(" \t")
    if not (text.startswith(BEGIN) and text.endswith(END) and len(text) >= len(BEGIN) + len(END)):
        return text
    try:
        return base64.b64decode(text[len(BEGIN) : -len(END)], validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def write_value(value: str) -> str:
    """Write a value as it is where a header can hold it so, else in base64."""
    if value.isascii() and value.isprintable() and value == value.strip() and value and not value.startswith(BEGIN):
        return value
    return f"{BEGIN}{base64.b64encode(value.encode('utf-8', 'replace')).decode()}{END}"
