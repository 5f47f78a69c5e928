"""One event of a stream → the values in it that go on with texts of earlier events. Pure.

Answers of language models come in events with a few characters each, at one place in their JSON: `delta.text`. Values
at one place belong to one text, unless what stands beside them tells texts apart: an `index` and the like in any object
around them, an item's place in its list where it has no `index`, and the `id` and the `type` right beside them. An `id`
further out does not: many servers give each event a new one.

Texts end where an event says so: `[DONE]`, a `type` such as `content_block_stop` or `response.completed`, a
`finish_reason`. What ends are those that agree with the event in all that tells texts apart.

One pass at the quotes: between two of them there is either a string or structure. What is no JSON is read as far as it
can be followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import re2

USUAL_PATHS: Final = (
    "choices[*].delta.content", "choices[*].delta.reasoning_content", "choices[*].delta.reasoning",
    "choices[*].delta.refusal", "choices[*].delta.tool_calls[*].function.arguments",
    "choices[*].delta.function_call.arguments", "choices[*].text", "delta", "delta.text", "delta.partial_json",
    "delta.thinking", "delta.message.content.text", "candidates[*].content.parts[*].text", "token.text",
)  # fmt: skip
MAX_PATH: Final = 256  # characters
MAX_DEPTH: Final = 16  # names and lists of a path
MAX_MARK: Final = 256  # bytes of what tells texts apart that are compared
DONE: Final = b"[DONE]"
_STEP: Final = re.compile(r"(?P<name>[A-Za-z0-9_-]+)|(?P<list>\[\*\])")
_PATH: Final = re.compile(r"[A-Za-z0-9_-]+(?:\[\*\]|\.[A-Za-z0-9_-]+)*")
_INDEXES: Final = frozenset({b"index", b"output_index", b"content_index", b"summary_index"})
_BESIDE: Final = frozenset({b"id", b"item_id", b"messageId", b"toolCallId", b"type"})
_REASONS: Final = frozenset({b"finish_reason", b"finishReason", b"stop_reason", b"done"})
_MARKS: Final = _INDEXES | _BESIDE | _REASONS
_GOES_ON: Final = frozenset({b"null", b"false", b'""'})  # as written
_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.never_capture = True
_TOKEN: Final = re2.compile(rb"[{}\[\],]|[^ \t\r\n{}\[\],:]+", _OPTIONS)
_ENDS: Final = re2.compile(
    rb'(?i)(?:^"|[._-])(?:done|stop|stopped|end|ended|finish|finished|completed?|failed|incomplete)"$', _OPTIONS
)
_QUOTE, _EMPTY = b'"', b'""'
_NOTHING: Final = frozenset({b"", b":", b": "})  # what stands between a name and a string
_SHORT: Final = 32  # bytes of structure whose tokens are kept for the next event, which mostly has the same
_OPENING, _CLOSING = frozenset({b"{", b"["}), frozenset({b"}", b"]"})
_ITEM: Final = b""

Mark = tuple[int, bytes]
"""A place in the paths, and the name of what tells texts apart there."""


class PathError(ValueError):
    """No path."""


class Key(NamedTuple):
    """Which text a value belongs to."""

    path: int
    marks: frozenset[tuple[Mark, bytes]]


class Delta(NamedTuple):
    """A value: its bytes from `start` up to, not including, `end`, between the quotes."""

    start: int
    end: int
    key: Key


class Event(NamedTuple):
    """`ends` are the marks of each text that ends with the event."""

    deltas: Sequence[Delta]
    ends: Sequence[Mapping[Mark, bytes]]


class _Node:
    """A place in the paths. `path` is the number of the one that leads here, -1 where none does."""

    __slots__ = ("number", "path", "steps")

    def __init__(self, number: int) -> None:
        self.number = number
        self.path = -1
        self.steps: dict[bytes | None, _Node] = {}  # None: the items of a list


class _Level:
    """An object or a list that is being read, which a path leads through."""

    __slots__ = ("above", "count", "is_list", "marks", "name", "node", "place")

    def __init__(self, node: _Node, above: _Level | None, *, is_list: bool) -> None:
        self.node = node
        self.above = above
        self.is_list = is_list
        self.place = above.count if above is not None and above.is_list else -1
        self.name = b""
        self.count: int = 0  # values that are read
        self.marks: dict[bytes, bytes] = {}

    def next(self) -> _Node | None:
        """Where the next value is."""
        return self.node.steps.get(None if self.is_list else self.name)


class DeltaPaths:
    """Where values are joined: `choices[*].delta.content`. Raises `PathError` for what is no path."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._root = _Node(0)
        names: set[bytes] = set()
        number = 0
        for index, path in enumerate(paths):
            node, steps = self._root, steps_of(path)
            for step in steps:
                if step not in node.steps:
                    number += 1
                    node.steps[step] = _Node(number)
                node = node.steps[step]
            node.path = index
            names.add([step for step in steps if step is not None][-1])
        self._names = re2.compile(b'"(?:%s)"' % b"|".join(sorted(names)), _OPTIONS)

    def concerns(self, data: bytes) -> bool:
        """Whether there could be a value in an event: one cheap look. False means that there is none."""
        return self._names.search(data) is not None

    def read(self, data: bytes) -> Event:
        """Find the values in an event's JSON, in order, and what ends with it."""
        if data.strip() == DONE:
            return Event((), ({},))
        walk = _Walk(self._root)
        quotes = data.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in data else data
        pieces = quotes.split(_QUOTE)
        walk.structure(pieces[0])
        start = len(pieces[0]) + 1
        for index in range(1, len(pieces) - 1, 2):  # a string, and what stands behind it
            end, behind = start + len(pieces[index]), pieces[index + 1]
            if behind.lstrip()[:1] == b":":
                walk.name(data[start:end])
            else:
                walk.scalar(data[start - 1 : end + 1], start)
            walk.structure(behind)
            start = end + len(behind) + 2
        return walk.event()


class _Walk:
    """Where in the tree the reading is, and what it has met."""

    def __init__(self, root: _Node) -> None:
        self._root = root
        self._above: list[_Level | None] = []
        self._level: _Level | None = None  # None where no path leads through
        self._levels: list[_Level] = []  # all that there were
        self._found: list[tuple[int, int, int, _Level, int]] = []

    def name(self, name: bytes) -> None:
        """Pass a member's name by."""
        if self._level is not None:
            self._level.name = name

    def structure(self, text: bytes) -> None:
        """Pass by what stands between strings."""
        if text in _NOTHING:
            return
        for token in _kept_tokens(text) if len(text) <= _SHORT else _tokens(text):
            if token == b",":
                if self._level is not None:
                    self._level.count += 1
            elif token in _OPENING:
                self._open(is_list=token == b"[")
            elif token in _CLOSING:
                self._level = self._above.pop() if self._above else None
            else:
                self.scalar(token)

    def _open(self, *, is_list: bool) -> None:
        level = self._level
        node = level.next() if level is not None else None if self._above else self._root
        self._above.append(level)
        self._level = None if node is None else _Level(node, level, is_list=is_list)
        if self._level is not None:
            self._levels.append(self._level)

    def scalar(self, written: bytes, start: int | None = None) -> None:
        """Take a value as it is written; a string begins, between its quotes, at `start`."""
        level = self._level
        if level is None:
            return
        if start is not None and written != _EMPTY:
            node = level.next()
            if node is not None and node.path >= 0:
                self._found.append((start, start + len(written) - 2, node.path, level, level.count))
        if level.name in _MARKS and not level.is_list:
            level.marks[level.name] = written[:MAX_MARK]

    def event(self) -> Event:
        """Tell what there was."""
        return Event(
            [Delta(start, end, _key(path, level, count)) for start, end, path, level, count in self._found],
            [_ended(level) for level in self._levels if _is_end(level)],
        )


def _tokens(text: bytes) -> Sequence[bytes]:
    return [match[0] for match in _TOKEN.finditer(text)]


_kept_tokens = lru_cache(1_000)(_tokens)


def steps_of(path: str) -> Sequence[bytes | None]:
    """The names of a path, None for a list's items."""
    if not _PATH.fullmatch(path) or len(path) > MAX_PATH:
        raise PathError(path[:MAX_PATH])
    steps = [None if step["list"] else step["name"].encode() for step in _STEP.finditer(path)]
    if len(steps) > MAX_DEPTH:
        raise PathError(path)
    return steps


def agrees(key: Key, ends: Mapping[Mark, bytes]) -> bool:
    """Whether a text is one of those that end."""
    return not ends or all(ends.get(mark, value) == value for mark, value in key.marks)


def _around(level: _Level) -> dict[Mark, bytes]:
    """What tells texts apart in the objects and lists around a value."""
    marks: dict[Mark, bytes] = {}
    here: _Level | None = level
    while here is not None:
        number = here.node.number
        for name in _INDEXES & here.marks.keys():
            marks[number, name] = here.marks[name]
        if here.place >= 0 and b"index" not in here.marks:
            marks[number, _ITEM] = b"%d" % here.place
        here = here.above
    return marks


def _key(path: int, level: _Level, count: int) -> Key:
    marks = _around(level)
    if level.is_list:
        marks[level.node.number, _ITEM] = b"%d" % count
    for name in _BESIDE & level.marks.keys():
        marks[level.node.number, name] = level.marks[name]
    return Key(path, frozenset(marks.items()))


def _is_end(level: _Level) -> bool:
    marks = level.marks
    if any(marks[name] not in _GOES_ON for name in _REASONS & marks.keys()):
        return True
    return level.above is None and b"type" in marks and _ENDS.search(marks[b"type"]) is not None


def _ended(level: _Level) -> dict[Mark, bytes]:
    marks = _around(level)
    for name in (_BESIDE - {b"type"}) & level.marks.keys():
        marks[level.node.number, name] = level.marks[name]
    return marks
