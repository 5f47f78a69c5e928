"""Values as Rego's own text, as sprintf's %v and string interpolation show them: {"a": [1, null]}, {2, 3}, set()."""

from __future__ import annotations

from typing import Final

from authz_service.rego_engine import numbers
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, entries, members

TOO_LARGE: Final = "number has too many digits to be written"

_ESCAPES: Final = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", '"': '\\"', "\\": "\\\\",
}  # fmt: skip
_OCTETS: Final = range(0xDC80, 0xDD00)  # surrogates, each of which stands for one octet
_FIRST_WIDE: Final = 0x10000


def show(value: Value) -> str:
    """Return a value as interpolation shows it: a string as it is, anything else as Rego writes it."""
    return value if type(value) is str else write(value)


def write(value: Value) -> str:
    """Return a value as Rego writes it."""
    kind = type(value)
    if kind is str:
        return quote(value)
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if kind is list:
        return f"[{', '.join(map(write, value))}]"
    if kind is set:
        return f"{{{', '.join(map(write, members(value)))}}}" if value else "set()"
    if kind is dict:
        return f"{{{', '.join(f'{write(name)}: {write(item)}' for name, item in entries(value))}}}"
    try:
        return numbers.text(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        raise BuiltinFault(TOO_LARGE) from None


def quote(text: str, *, ascii_only: bool = False, mark: str = '"') -> str:
    r"""Return a text in quotation marks, with what cannot be printed escaped: \n, \x00, \u00ad."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text and mark == '"':
        return f'"{text}"'
    return mark + "".join(_character(each, mark, ascii_only=ascii_only) for each in text) + mark


def _character(character: str, mark: str, *, ascii_only: bool) -> str:
    if character in _ESCAPES and (character not in "'\"" or character == mark):
        return _ESCAPES[character]
    if character == mark:
        return f"\\{mark}"
    if character.isprintable() and (character.isascii() or not ascii_only):
        return character
    code = ord(character)
    if character.isascii():
        return f"\\x{code:02x}"
    if code in _OCTETS:
        return f"\\x{code - _OCTETS.start + 0x80:02x}"
    return f"\\u{code:04x}" if code < _FIRST_WIDE else f"\\U{code:08x}"
