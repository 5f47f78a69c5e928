"""A value that looks random, beside a word that says that it is secret. Pure.

Where a service's own form is not known, its keys are still called `api_key`, `clientSecret`, `DB_PASSWORD`, and stand
behind `=` or `:`, as an option of a command, in an element, or behind a scheme of HTTP's `Authorization`. Only the
value is taken out, and only one that no word, path, number or hash explains, nor a UUID, unless it is called a
password, a secret or a key of an API. A name may also say that what it
holds is not the secret itself: `token_type`, `secret_id`, `password_hash`, `next_page_token`.
"""

from __future__ import annotations

from collections.abc import Iterable

import re2

from authz_service.dlp.detectors import cloud_keys, context, developer_tokens, service_keys, tokens
from authz_service.dlp.detectors.context import key_before, says_nothing
from authz_service.dlp.detectors.detector import LETTERS_AND_DIGITS, Detector
from authz_service.dlp.detectors.entropy import looks_random, shifts
from authz_service.dlp.detectors.examples import made_up
from authz_service.dlp.detectors.placeholders import is_placeholder
from authz_service.dlp.detectors.secret_names import HINT as NAME_HINT
from authz_service.dlp.detectors.secret_names import names_a_secret, names_more_than_an_id, since_redaction

# Characters that are judged; the rest of a longer one goes with it. Browsers suggest passwords of fifteen.
_SHORTEST, _LONGEST = 15, 128
_SIGNS = r"!#$%*+./?@^_|~-"
_VALUE_BYTES = rf"[A-Za-z0-9{_SIGNS}]"
# A search begins where a word does, or at one or two signs before it: not at each letter of a long run.
# It ends before a full stop.
_VALUE = (
    rf"(?:[!#$%*+./?@^|~-]{{1,2}})?\b[A-Za-z0-9_]{_VALUE_BYTES}{{{_SHORTEST - 2},{_LONGEST - 2}}}"
    r"[A-Za-z0-9!#$%*+/?@^_|~-]={0,2}"
)
_SURE = 0.8

_BACKQUOTE = ord("`")
_STANDS_BEFORE = frozenset(b"=:>\"' ([\t\r\n`\\")
# What a name or a scheme is joined to its value by: a cheap search finds this and the value's beginning. It is narrow,
# because many words sound like a secret's name; a wide one would make every text slow.
_BESIDE = (
    rf"(?is)(?:{NAME_HINT}|basic)[a-z0-9_.-]{{0,16}}[\"'\\\]>)`]{{0,4}}[ \t]{{0,3}}"
    r"(?:[=:>,|]{1,3}|is:?|was:?|[\"'],[ \t\r\n]{0,24}[\"']value[\"']: ?|[: ] ?&?str(?:ing)? ?=|--(?:body|value)[ =]"
    r"|[ \t])[ \t\r\n]{0,4}[a-z]?[\"'`\\\[(]{0,4}"
)
_HINT = rf"{_BESIDE}{_VALUE_BYTES}{{{_SHORTEST}}}"


def _compile(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern.encode(), options)


def _beginnings(patterns: Iterable[str]) -> re2.Set:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    found = re2.Set.MatchSet(options)
    for pattern in patterns:
        found.Add(pattern.encode())
    found.Compile()
    return found


_OWN = tuple(
    (detector, _compile(detector.pattern))
    for family in (cloud_keys, developer_tokens, service_keys, tokens)
    for detector in family.DETECTORS
)
_OWN_SET = _beginnings(detector.pattern for detector, _ in _OWN)
_UUID = _compile(r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_IS_A_NAME = _compile(r"(?i)token|secret|passw|private|public|credential|auth|config|factory|provider|client")
_LEAST_SHIFTS = 0.3  # of all neighbours, in what holds a word of programs: `Ed25519PrivateKey` has fewer
_JOINED = _compile(_BESIDE + "$")
_SCHEME = _compile(r"(?i)(?:^|[^a-z0-9])(?:bearer|basic) {1,4}$")
_OTHER_SCHEME = _compile(r"(?i)authorization[\"']?[ ]?[:=][ ]?[\"']?[a-z-]{3,20} {1,2}$")
_OPTION = _compile(r"(?:^|[\s\"'\[])--?([A-Za-z][A-Za-z0-9_-]{1,40})[\"']?[ ,]{1,3}[\"']?$")
_CELL = _compile(r"\| {0,4}`?([A-Za-z][A-Za-z0-9 _.-]{2,40}?)`? {0,4}\| {0,4}`?$")
_ARGUMENT = _compile(r"[\[(,] ?[\"'`]([A-Za-z][A-Za-z0-9_.-]{2,40})[\"'`], ?[a-z]?[\"'`]$")  # getenv("API_KEY", "…")
_IN_IMAGE = _compile(r"(?:^|\s)(?:ENV|ARG) ([A-Za-z][A-Za-z0-9_]{2,40}) [\"']?$")  # a Dockerfile's
_SPOKEN = _compile(r"([A-Za-z][A-Za-z0-9 _-]{2,40}) (?:is|was)(?: now)?:? ?[\"'`]?$")


def _name_before(text: bytes, start: int) -> bytes | None:
    """What names a value as a secret, in one of the ways that names are written, or None where nothing does."""
    if start == 0 or text[start - 1] not in _STANDS_BEFORE:
        return None
    before = text[max(0, start - context.BEFORE) : start]
    if _JOINED.search(before) is None:
        return None
    name = key_before(text, start - (text[start - 1] == _BACKQUOTE))
    if name is not None and name.startswith(b"//"):  # the user of a URL, whose password has detectors of its own
        return None
    if name is not None:  # a name that says nothing may have the true one beside it: "name": "API_KEY", "value": …
        name = since_redaction(text, start) if says_nothing(name) else name
    elif _SCHEME.search(before) is not None or _OTHER_SCHEME.search(before) is not None:
        return b"authorization"
    elif (option := _OPTION.search(before)) is not None:  # set API_KEY --value …
        name = since_redaction(text, start) if says_nothing(option[1]) else option[1]
    else:
        others = (form.search(before) for form in (_CELL, _SPOKEN, _ARGUMENT, _IN_IMAGE))
        match = next(filter(None, others), None)
        name = match[1] if match is not None else None
    return name if name is not None and names_a_secret(name) else None


def _has_its_own_detector(text: bytes, start: int, end: int) -> bool:
    """Whether a service's own detector takes the value that begins here: it says more."""
    window = text[max(0, start - context.BEFORE) : end + 1]
    begin = min(start, context.BEFORE)
    for index in _OWN_SET.Match(window[begin:]) or ():
        match = _OWN[index][1].match(window, begin)
        if match is not None and _OWN[index][0].accepts(window, begin, match.end()):
            return True
    return False


def _is_secret(text: bytes, start: int, end: int) -> float:
    """Judge by the name before a value and by how random it looks."""
    name = _name_before(text, start)
    if name is None:
        return 0.0
    end = min(end, start + _LONGEST)
    value = text[start:end]
    if text[end : end + 1] == b"(" or is_placeholder(value):
        return 0.0
    if _UUID.search(value) is not None:  # most are only an id, and a token that is one may be a request's
        return _SURE if _UUID.fullmatch(value) and names_more_than_an_id(name) else 0.0
    least = _LEAST_SHIFTS if _IS_A_NAME.search(value) is not None else 0.0
    if not looks_random(value) or shifts(value) < least or _has_its_own_detector(text, start, end):
        return 0.0
    return _SURE


DETECTORS = (
    Detector(
        "generic_secret", "generic_secret", _HINT, _VALUE, _is_secret,
        tail=LETTERS_AND_DIGITS | frozenset(b"+/=_~-"), longest=4_096, before=context.BEFORE, after=1,
        behind=_STANDS_BEFORE,
        source="Shannon, A Mathematical Theory of Communication (1948); the names that programs give to secrets",
        example=lambda: b"client_" + b"secret=" + made_up("generic", 32),
    ),
)  # fmt: skip
