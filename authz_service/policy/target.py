"""The path of a request line → the one path that policies judge, so that no spelling of it says something else. Pure.

Envoy normalises paths before we see them, and our configuration has it refuse escaped slashes; nothing here relies on
that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from authz_service.errors import RequestRefused

MAX_PATH_BYTES = 8 * 1024
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is aimed at. `path` is decoded, one slash between segments, without dot segments and parameters.

    `endpoint` is what limits count by: the path's first segment in lower case, such as `/reports`.
    """

    path: str
    query: str
    endpoint: str


def parse_target(request_path: str) -> Target:
    """Canonicalise path and query as they stand on the request line.

    Percent-escapes are decoded once; a backslash counts as a slash, and path parameters (`;x`) count for nothing, since
    many servers see them so: `/hr;v=1/x` is `/hr/x` to a rule. A trailing slash is kept.

    Raises:
        RequestRefused: the path is too long, does not start with a slash, or holds a fragment, a broken escape, bytes
            that are not UTF-8, control characters, or a dot segment with parameters, which some servers resolve.
    """
    raw, _, query = request_path.partition("?")
    if len(raw) > MAX_PATH_BYTES:
        raise RequestRefused("path_too_long", "the path is too long")
    if not raw.startswith("/") or "#" in raw or _BAD_ESCAPE.search(raw):
        raise RequestRefused("path_malformed", "the path is malformed")
    try:
        decoded = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestRefused("path_malformed", "the path is malformed") from error
    if any(character < " " or character == "\x7f" for character in decoded):
        raise RequestRefused("path_malformed", "the path is malformed")
    written = decoded.replace("\\", "/").split("/")
    if any(";" in segment and segment.partition(";")[0] in {".", ".."} for segment in written):
        raise RequestRefused("path_malformed", "the path is malformed")
    segments = _resolve([segment.partition(";")[0] for segment in written])
    path = "/" + "/".join(segments)
    return Target(path, query, "/" + (segments[0].lower() if segments else ""))


def _resolve(segments: list[str]) -> list[str]:
    """Drop empty and dot segments (RFC 3986 section 5.2.4); keep the trailing slash as a last empty segment."""
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in {"", "."}:
            kept.append(segment)
    if kept and segments[-1] in {"", ".", ".."}:
        kept.append("")
    return kept
