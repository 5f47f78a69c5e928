"""Signs that a body carries content of the caller's own files. They are told to the policy, not redacted.

A body is read as it stands and as applications will read it: JSON escapes and form encoding undone, UTF-16 made
narrow. What cannot be read, because it is compressed, counts as carrying a file: a policy is never told less than there
is.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import re2

from authz_service.dlp.detectors.file_magic import a_part_begins_a_file, base64_beginnings, begins_a_file

# Base64 of a file where a value begins: in JSON, in a form, in a data URL. The signs of JPEG, gzip, ZIP, ELF and of
# Windows programs are too short to be told from words, so that more digits must follow.
_SHORT = r"(?:/9j/|H4sI|UEs[DF]B|f0VMR|TVqQ)[A-Za-z0-9+/]{24}"
_IN_BASE64 = "|".join((*(re2.escape(sign.decode()) for sign in base64_beginnings()), _SHORT))

_SIGNS = (
    r"file:/+[a-z0-9._~%-]",  # file URLs
    r"(?:^|[^a-z0-9._-])/(?:home|users|root|etc|var|tmp|opt|srv|proc|mnt|media|volumes|usr|boot)/[a-z0-9._-]",  # POSIX
    r"(?:^|[^a-z0-9._-])/(?:run/(?:user|secrets|media)|private/(?:etc|var|tmp)|dev/shm)/[a-z0-9._-]",
    r"(?:^|[^a-z0-9._-])/dev/(?:fd/|sd|nvme|disk|mem)[a-z0-9]",
    r"(?:^|[^a-z0-9])(?:~|\$home|\$\{home\})/[a-z0-9._-]",  # a home folder
    r"%(?:userprofile|homepath|appdata|localappdata|programdata|programfiles|systemroot|windir|temp|tmp)%(?:\\{1,2}|/)",
    r"(?:^|[^a-z0-9])[a-z]:(?:\\{1,2}|/)[a-z0-9._ -]",  # Windows paths, JSON-escaped or not
    r"(?:^|[^\\])\\{2,4}[a-z0-9._-]+\\{1,2}[a-z0-9.$_-]",  # \\server\share
    r"content-disposition:(?:[^\r\n]|\r?\n[ \t])*filename",  # a file in a multipart body, its header folded or not
    r"data:[a-z]+/[^,]*;base64,",  # a file as a data URL
    rf"(?:^|[\"'=,:\s])(?-i:{_IN_BASE64})",
)


def _compile() -> re2.Set:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = False
    signs = re2.Set.SearchSet(options)
    for sign in _SIGNS:
        signs.Add(sign.encode())
    signs.Compile()
    return signs


_ANY = _compile()


def carries_local_file(body: bytes, content_type: str = "", content_encoding: str = "") -> bool:
    """Whether any sign of local file content stands in a body, or could stand in it unseen."""
    if not body:
        return False
    if content_encoding.strip().lower() not in {"", "identity"} or begins_a_file(body):
        return True
    content_type = content_type.lower()
    if content_type.lstrip().startswith("multipart/") and a_part_begins_a_file(body):
        return True
    return any(_ANY.Match(text) for text in _readings(body, content_type))


def _readings(body: bytes, content_type: str) -> Iterator[bytes]:
    """The body as it stands, then as those read it who undo what can be undone."""
    yield body
    if b"\0" in body:  # UTF-16 and UTF-32 in either byte order: ASCII with zeros between
        body = body.replace(b"\0", b"")
        yield body
    if b"\\" in body:
        yield _unescape(body)
    if b"%" in body or "form" in content_type:
        yield unquote_to_bytes(body.replace(b"+", b" "))


def _unescape(body: bytes) -> bytes:
    """Undo JSON's escapes of slashes and of ASCII characters written by number."""
    parts = body.replace(b"\\/", b"/").split(b"\\u00")
    decoded = [parts[0]]
    for part in parts[1:]:
        try:
            decoded.append(bytes.fromhex(part[:2].decode("ascii")) + part[2:])
        except ValueError:
            decoded.append(part)
    return b"".join(decoded)
