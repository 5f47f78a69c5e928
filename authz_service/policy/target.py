"""The path of a request line → the one path that policies judge, so that no spelling of it says something else. Pure.

Servers differ in what they make of a path. Policies judge it as the most lenient of them would read it: escapes decoded
until none is left, look-alikes folded (NFKC, which can make escapes), backslashes taken for slashes; parameters of a
segment (`;x`) left out, as is what stands behind an escaped `?` or `#` in it, spaces around it and dots at its end;
slashes merged, dot segments resolved. What has no such reading is refused. Envoy normalises paths too, before we see
them, and our configuration has it refuse escaped slashes; nothing here relies on that. The path as it came is
`attributes.request.http.path`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from authz_service.errors import RequestRefused

MAX_PATH_BYTES = 8 * 1024
MAX_QUERY_BYTES = 16 * 1024
MAX_PARAMETERS = 1_000
MAX_DECODINGS = 4  # a path that is still encoded then is nobody's honest path
# What nearly all paths are, and every server reads alike: nothing in it to decode, fold, drop or refuse.
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~-]+(?:\.[A-Za-z0-9_~-]+)*)+")
_METHOD = re.compile(r"[A-Z][A-Z0-9_-]{0,63}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
# Where a name ends for those who decode first and look for parameters, query and fragment afterwards.
_END_OF_NAME = re.compile(r"[;?#]")
# Control and format characters, line and paragraph separators, surrogates: none belongs in a path or in a log line.
_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is aimed at, as the most lenient server reads it. `query` is as it is written.

    `endpoint` is what limits count by: the path's first segment in lower case, such as `/reports`.
    """

    path: str
    query: str
    endpoint: str


def parse_target(request_path: str) -> Target:
    """Canonicalise path and query as they stand on the request line. A trailing slash is kept.

    Raises:
        RequestRefused: the path or the query is too long; the path does not start with a slash, or holds a fragment, a
            broken escape, bytes that are not UTF-8, control or format characters, a segment that is a dot segment or
            empty to some servers only (`..;x`, `.. `, `...`, `%3f`), a `..` that is written otherwise (`%2e%2e`) or
            stands together with an escaped slash, a backslash, a parameter or an escaped `?` or `#`.
    """
    raw, _, query = request_path.partition("?")
    if len(raw) > MAX_PATH_BYTES:
        raise RequestRefused("path_too_long", "the path is too long")
    if len(query) > MAX_QUERY_BYTES or query.count("&") >= MAX_PARAMETERS:
        raise RequestRefused("query_too_large", "the query is too long or has too many parameters")
    if _PLAIN.fullmatch(raw):
        return Target(raw, query, "/" + raw[1:].partition("/")[0].lower())
    if not raw.startswith("/") or "#" in raw or _BAD_ESCAPE.search(raw):
        raise _malformed()
    text = _decode(raw)
    if any(unicodedata.category(character) in _FORBIDDEN for character in text):
        raise _malformed()
    written = text.replace("\\", "/").split("/")
    if ".." in written and _END_OF_NAME.search(text):
        raise _malformed()  # `/hr;%252f../x` is /x, or it is /hr/x for who leaves parameters out before he decodes
    if ".." in written and [each == ".." for each in written] != [each == ".." for each in raw.split("/")]:
        raise _malformed()  # a dot segment, or another one before it, only to who decodes, folds or takes `\\` for `/`
    segments = _resolve([_name(segment) for segment in written])
    path = "/" + "/".join(segments)
    return Target(path, query, "/" + (segments[0].lower() if segments else ""))


def check_method(method: str) -> None:
    """Refuse a method that is not in capitals: some servers raise it to those (RFC 9110 section 9.1 tells them apart).

    Raises:
        RequestRefused: rules and policies would judge another method than such a server carries out.
    """
    if not _METHOD.fullmatch(method):
        raise RequestRefused("method_malformed", "the method is malformed")


def _malformed() -> RequestRefused:
    return RequestRefused("path_malformed", "the path is malformed")


def _decode(text: str) -> str:
    for _ in range(MAX_DECODINGS):
        try:
            text = unicodedata.normalize("NFKC", unquote_to_bytes(text).decode("utf-8"))
        except UnicodeDecodeError as error:
            raise _malformed() from error
        if not _ESCAPE.search(text):
            return text
    raise _malformed()


def _name(segment: str) -> str:
    """Reduce a segment to what the most lenient server looks for; what is a dot segment to some only is refused."""
    if segment in {"", ".", ".."}:
        return segment
    name = _END_OF_NAME.split(segment, maxsplit=1)[0].lstrip(" ").rstrip(". ")
    if not name and segment[0] != ";":
        raise _malformed()
    return name


def _resolve(segments: list[str]) -> list[str]:
    """Drop empty and dot segments (RFC 3986 section 5.2.4); keep the trailing slash as a last empty segment.

    A `..` behind an empty segment takes back that one or, where slashes are merged first, the one before: refused.
    """
    kept: list[str] = []
    for place, segment in enumerate(segments):
        if segment == "..":
            if place > 1 and not segments[place - 1]:
                raise _malformed()
            if kept:
                kept.pop()
        elif segment not in {"", "."}:
            kept.append(segment)
    if kept and segments[-1] in {"", ".", ".."}:
        kept.append("")
    return kept
