"""Words beside a candidate that tell what it is, where its form alone does not: nine digits after `ssn`, for one.

Words stand whole, in any case, in prose and as parts of names: `ssn` is in `SSN:`, `ssn_number`, `customerSsn` and
`x-ssn`, not in `lessn`. Between the words of a phrase nothing or up to three spaces, hyphens, underscores or dots
stand.

A value that has a key of its own is told by that key: in `"ssn": "078051120", "order": "123456789"` the word is not
the second number's. Keys that say nothing (`value`, `text`, a table's cell) let the whole window speak.

Both windows are bounded, and a redaction ends them: what was found there tells nothing of what stands next to it,
so that a text which was redacted is judged no more strictly than before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import re2

from authz_service.dlp.detectors.searching import ANYWHERE, Search, search_of

# How far words are looked for, in bytes. A detector with context has these as its own `before` and `after`.
BEFORE = 64
AFTER = 32

# Keys that could be anyone's.
_SAYS_NOTHING = frozenset(
    b"value val values text content contents message msg body data input output prompt query q answer reply result "
    b"response comment note notes description details info string number num no nr field item entry raw original "
    b"default example args arguments param params line cell row column td th tr li p dd dt span div b i em strong font "
    b"label code pre a v is are was str".split()
)


def compiled(pattern: str) -> re2._Regexp:
    """Compile a pattern for bytes, valid UTF-8 or not."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern.encode(), options)


# Before the value itself a label may stand (`#`, `INV-`).
# `key: `, `key=`, `"key": "`, `\"key\": [`, `key => `, and `<key>`; at the end of the left window, which is lowered.
# A key may be a phrase (`his number on file:`), back to where a line, a string, a sentence or a pair ends.
_KEY = search_of(
    r"([^\"'<>{}\[\];&,|?=:\r\n\t]{1,64})\\{0,3}[\"']?\]?[ \t]{0,4}(?::=|=>|==|:|=)[ \t\r\n]{0,8}"
    r"(?:[a-z]?\\{0,3}[\"'])?[ (\[+]{0,4}(?:[a-z]{1,6}[-_#]|#)?$"
    r"|<([a-z_][a-z0-9_.:-]{0,40})(?:[ \t][^<>]{0,60})?>[ \t\r\n]{0,8}$",
    groups=True,
)
_MARKS_KEY = frozenset(b":=>")
_MARK_REACH = 24  # bytes that can stand between a key's mark and its value, and more
_REDACTION = b"[redacted:"
_CUT_REDACTION = compiled(r"^[a-z0-9_:]{0,40}\]")
_RIGHT_END = compiled(r"[\"'<>{}\[\]&|:=\r\n]")
_SUBJECT_ENDS = re.compile(rb"[^a-z0-9]+")  # one class: Python's engine is as safe here, and quicker


@dataclass(frozen=True, slots=True)
class Context:
    """Words, compiled into one pattern. A space in a word stands for whatever joins words.

    `hint` matches wherever `near` can be true, and more: for detectors whose own form is too common to be a hint.
    """

    words: tuple[str, ...]
    hint: str = field(init=False, repr=False, compare=False)
    _search: Search = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        longest_first = sorted(self.words, key=len, reverse=True)
        joined = "|".join(_RIGHT_SPACE.join(map(re2.escape, word.lower().split())) for word in longest_first)
        object.__setattr__(self, "_search", search_of(joined))
        object.__setattr__(self, "hint", f"(?i:{joined})")

    def near(self, text: bytes, start: int, end: int) -> bool:
        """Whether a word stands where it tells of the candidate: in its key, or else in the windows beside it."""
        window = text[max(0, start - BEFORE) : start]
        cut = start >= BEFORE  # then a word that the window begins with may be the end of a longer one
        if (begins := _after_redaction(window, cut=cut)) > 0:
            window, cut = window[begins:], False
        if self.within(window, cut_left=cut):
            key = _key(window)
            if key is None or self.within(key) or says_nothing(key):
                return True
        window = _behind(text[end : end + AFTER])
        return self.within(window, cut_right=len(window) == AFTER)

    def within(self, text: bytes, *, cut_left: bool = False, cut_right: bool = False) -> bool:
        """Whether a word stands in a short text. At a side that is cut, none can be known to be whole."""
        lowered, size = text.lower(), len(text)
        start, end = self._search(ANYWHERE, lowered, 0, size)[0]
        while start >= 0:
            if not (cut_left and start == 0) and _begins_word(text, start):
                if _ends_word(text, end) and not (cut_right and end == len(text)):
                    return True
                plural = lowered[end : end + 1] == b"s"
                if plural and _ends_word(text, end + 1) and not (cut_right and end + 1 == len(text)):
                    return True
            start, end = self._search(ANYWHERE, lowered, start + 1, size)[0]
        return False


_RIGHT_SPACE = r"[ _.-]{0,3}"


def key_before(text: bytes, start: int) -> bytes | None:
    """The key that a value stands behind, as it is written, or None where it has none within the window."""
    window = text[max(0, start - BEFORE) : start]
    return _key(window[max(0, _after_redaction(window, cut=start >= BEFORE)) :])


def says_nothing(key: bytes) -> bool:
    """Whether a key could stand before any value."""
    return _SAYS_NOTHING.issuperset(word for word in _SUBJECT_ENDS.split(key.lower()) if word)


def any_of(contexts: Iterable[Context]) -> Context:
    """One context of the words of several."""
    return Context(tuple(word for context in contexts for word in context.words))


def _key(window: bytes) -> bytes | None:
    if not _MARKS_KEY.intersection(window[-_MARK_REACH:]):
        return None  # in prose, which is spared the longer search
    whole, before_mark, in_tag = _KEY(ANYWHERE, window.lower(), 0, len(window))
    if whole[0] < 0:
        return None
    start, end = before_mark if before_mark[0] >= 0 else in_tag
    return window[start:end].strip(b" -")


def _behind(window: bytes) -> bytes:
    """What stands behind a value and can tell of it: up to the next string, line, pair, or key of another value."""
    stop = _RIGHT_END.search(window)
    if stop is None:
        return window
    right = window[: stop.start()]
    if stop.group() in {b":", b"="}:
        right = right[: max(right.rfind(delimiter) for delimiter in (b",", b";", b"?", b"(", b"|")) + 1]
    return right


def _after_redaction(window: bytes, *, cut: bool) -> int:
    """Where the last redaction in a window ends, 0 where there is none."""
    lowered = window.lower()
    begins = lowered.rfind(_REDACTION)
    if begins >= 0:
        return lowered.find(b"]", begins) + 1
    if cut and (match := _CUT_REDACTION.search(lowered)) is not None:
        return int(match.end())
    return 0


def _begins_word(text: bytes, at: int) -> bool:
    """Not behind a letter or digit, unless a capital begins a new word of a name: `customerSsn`, `APIPassword`."""
    if at == 0 or not text[at - 1 : at].isalnum():
        return True
    this, before, behind = text[at : at + 1], text[at - 1 : at], text[at + 1 : at + 2]
    return this.isupper() and (not before.isupper() or behind.islower())


def _ends_word(text: bytes, at: int) -> bool:
    """Not before a letter, unless that begins a new word of a name; digits may follow: `ssn2`."""
    if at >= len(text) or not text[at : at + 1].isalpha():
        return True
    last, behind, next_one = text[at - 1 : at], text[at : at + 1], text[at + 1 : at + 2]
    return behind.isupper() and (not last.isupper() or next_one.islower())
