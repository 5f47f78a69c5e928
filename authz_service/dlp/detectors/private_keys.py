r"""Private keys in their text forms, from the first line to the last. Pure.

What is between the lines is swallowed, base64, line ends and headers, until the closing line or until a character
comes that no key is written with. Line ends may be written as spaces or as `\n` too: a key in an environment
variable or in a source file is still a key. In JSON within JSON, as models write arguments of tools, the backslash is
itself escaped, and reads as two zero bytes (see `views.json_text`). The opening line alone is no finding: texts about
keys have it.
"""

from __future__ import annotations

import re2

from authz_service.dlp.detectors.detector import LETTERS_AND_DIGITS, Detector
from authz_service.dlp.detectors.examples import BASE64, HEX, made_up

_LONGEST = 64 * 1024  # bytes; sixteen thousand bits of RSA are 13 KB
_KINDS = r"(?:RSA |EC |DSA |OPENSSH |ENCRYPTED |ANY |SSH2 ENCRYPTED )?"
_LINE_END = r"(?:[\r\n\t >]|[\\\x00]{1,4}[rn]){1,18}"  # `\r\n` in JSON three strings deep
_BEGINNING = rf"-----BEGIN {_KINDS}PRIVATE KEY-----{_LINE_END}"
_HEADERS = r"(?:Proc-Type|DEK-Info|Comment|Subject|Version|Charset|Hash|MessageID|X-[A-Za-z]{1,16}):"
_PEM_HINT = r"-----BEGIN [A-Z0-9 ]{0,16}PRIVATE KEY-----"
_PEM_PATTERN = rf"{_BEGINNING}(?:[A-Za-z0-9+/]{{16}}|{_HEADERS})"
_GAPS = r"(?:[ \t\r\n]|\\{1,2}[rn]){0,16}"
_ESCAPED_END = r"(?:\\{1,2}[rn]){1,2}"


def _in_literals(joined: str) -> str:
    r"""A key that a program writes as strings, line by line, which an operator joins: `\n" +` and `"MII`."""
    return rf"-----BEGIN {_KINDS}PRIVATE KEY-----(?:{joined})(?:[A-Za-z0-9+/]{{16}}|{_HEADERS})"


# Never in JSON, whose own quotes these would be.
_IN_TEXT = rf'(?:{_ESCAPED_END}|[\r\n]{{1,8}})?"{_GAPS}[+.\\]{_GAPS}"|{_ESCAPED_END}"{_GAPS}"'
_ENDS, _BETWEEN = r"[rn\r\n\\\x00]{0,40}", r"[ \t\r\n\\\x00rn]{0,40}"


def _joined(quote: str) -> str:
    r"""The same of other quotes, or in a string of JSON: there `\n` reads as line ends, deeper ones as zeros too."""
    return rf"{_ENDS}{quote}{_BETWEEN}[+.]?{_BETWEEN}{quote}"


_BEFORE = 64  # bytes in which the end of a service account's key id stands, and the name of its key
_QUOTE = r"[\\\x00]{0,4}\"{1,2}"
_GAP = r"[ \t\r\n]{0,8}"
_ACCOUNT = re2.compile(rf"[0-9a-f]{{8}}{_QUOTE}{_GAP},{_GAP}{_QUOTE}private_key{_QUOTE}[ ]?:[ ]?{_QUOTE}$")

_SPACES = frozenset(b" \t\r\n\\\0")
_PEM = LETTERS_AND_DIGITS | _SPACES | frozenset(b"+/=-:,.>")  # `>` where a letter is answered
_OTHER_QUOTES = _PEM | frozenset(b"'`")
_PGP = (frozenset(range(32, 127)) | _SPACES) - frozenset(b'"')  # its headers may be any text


def _always(text: bytes, start: int, end: int) -> float:
    """Accept: an opening line and what a key goes on with."""
    del text, start, end
    return 1.0


def _pem() -> bytes:
    lines = b"\n".join(made_up(f"pem {line}", 64, BASE64) for line in range(3))
    return b"-----BEGIN" + b" PRIVATE KEY-----\nMIG" + lines + b"\n-----END" + b" PRIVATE KEY-----"


def _in_program() -> bytes:
    return b'"' + _pem().replace(b"\n", b'\\n" +\n    "') + b'";'


def _pgp() -> bytes:
    lines = b"\n".join(made_up(f"pgp {line}", 64, BASE64) for line in range(3))
    return b"-----BEGIN PGP" + b" PRIVATE KEY BLOCK-----\n\n" + lines + b"\n-----END PGP" + b" PRIVATE KEY BLOCK-----"


def _putty() -> bytes:
    return b"Private-" + b"Lines: 1\n" + made_up("putty", 64, BASE64) + b"\nPrivate-" + b"MAC:"


def _of_anyone_else(text: bytes, start: int, end: int) -> float:
    """Accept what is not a service account's."""
    return 1.0 - _of_a_service_account(text, start, end)


def _of_a_service_account(text: bytes, start: int, end: int) -> float:
    """Accept a key that stands behind its own id, as in the file that Google Cloud gives out."""
    del end
    return 1.0 if _ACCOUNT.search(text[max(0, start - _BEFORE) : start]) is not None else 0.0


_LITERALS = "RFC 7468; the string literals of programming languages"

DETECTORS = (
    Detector(
        "gcp_service_account", "gcp_service_account_key", _PEM_HINT, _PEM_PATTERN, _of_a_service_account,
        tail=_PEM, until=b"PRIVATE KEY-----", longest=_LONGEST, before=_BEFORE,
        source="Google Cloud, Create and delete service account keys",
        example=lambda: b'"private_' + b'key_id": "' + made_up("account", 40, HEX) + b'", "private_key": "' + _pem(),
    ),
    Detector(
        "private_key", "private_key_pem", _PEM_HINT, _PEM_PATTERN, _of_anyone_else,
        tail=_PEM, until=b"PRIVATE KEY-----", longest=_LONGEST, before=_BEFORE,
        source="RFC 7468, RFC 1421; OpenSSH, PROTOCOL.key", example=_pem,
    ),
    Detector(
        "private_key", "private_key_in_program", _PEM_HINT, _in_literals(_IN_TEXT), _always,
        tail=_PEM | frozenset(b'"'), until=b"PRIVATE KEY-----", longest=_LONGEST, source=_LITERALS, example=_in_program,
    ),
    Detector(
        "private_key", "private_key_in_json", _PEM_HINT,
        _in_literals(_joined(r'(?:[\\\x00]{0,6}""){1,2}')), _always,  # quotes of a string in JSON read as two
        tail=_PEM | frozenset(b'"'), paired=b'"', until=b"PRIVATE KEY-----", longest=_LONGEST, source=_LITERALS,
        example=lambda: _in_program().replace(b'"', b'""'),
    ),
    Detector(
        "private_key", "private_key_in_quotes", _PEM_HINT, _in_literals(_joined("['`]")), _always,
        tail=_OTHER_QUOTES, until=b"PRIVATE KEY-----", longest=_LONGEST, source=_LITERALS,
        example=lambda: _in_program().replace(b'"', b"'"),
    ),
    Detector(
        "private_key", "private_key_pgp", r"-----BEGIN PGP PRIVATE KEY BLOCK-----",
        rf"-----BEGIN PGP PRIVATE KEY BLOCK-----{_LINE_END}(?:[A-Za-z0-9+/]{{16}}|{_HEADERS})", _always,
        tail=_PGP, until=b"PRIVATE KEY BLOCK-----", longest=_LONGEST, source="RFC 4880 section 6.2", example=_pgp,
    ),
    # The public half stands before it, and the checksum that follows is no secret.
    Detector(
        "private_key", "private_key_putty", r"Private-Lines: [0-9]",
        rf"Private-Lines: [0-9]{{1,4}}{_LINE_END}[A-Za-z0-9+/]{{16}}", _always,
        tail=_PEM, until=b"Private-MAC:", longest=_LONGEST, source="PuTTY, appendix C: PPK file format", example=_putty,
    ),
)  # fmt: skip
