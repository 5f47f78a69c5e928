"""Requests from a log, one a line: CSV with a header, or JSON, such as Envoy's JSON access log. In bounded memory.

Each descriptor of a request is made of fields of its line. As in Envoy, a descriptor for which the line has no value is
left out. Of a line that cannot be read it is told why, never what it holds.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from ratelimit_service.commands import log_records
from ratelimit_service.commands.arguments import UsageError, unknown
from ratelimit_service.commands.log_records import LineError, Record
from ratelimit_service.model import Descriptor

MAX_LINE_BYTES = 1024 * 1024
FORMATS = ("csv", "jsonl")


class Take(NamedTuple):
    """One entry of a descriptor: its key, and the field that its value comes from or, where that is None, the value."""

    key: str
    field: str | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where in a line things are. Without `descriptors`, each column of a CSV is one. `domain` is that of all lines.

    `other_domain` is the domain of lines that name none, if `domain` does not say.
    """

    descriptors: tuple[tuple[Take, ...], ...] = ()
    time: str = "time"
    domain: str | None = None
    other_domain: str | None = None


class Request(NamedTuple):
    """A request of the log."""

    line: int
    time_us: int  # since the epoch
    domain: str
    descriptors: tuple[Descriptor, ...]


class Unreadable(NamedTuple):
    """A line that is no request."""

    line: int
    why: str


def descriptor(text: str) -> tuple[Take, ...]:
    """Read `--descriptor`: fields, separated by commas; `key=field` names the entry, `key:=text` gives its value."""
    takes = []
    for part in text.split(","):
        key, equals, source = part.partition("=")
        if not key.removesuffix(":") or (equals and not source and not key.endswith(":")):
            raise UsageError(f"--descriptor: {text!r} is not FIELD, KEY=FIELD or KEY:=TEXT, separated by commas")
        if equals and key.endswith(":"):
            takes.append(Take(key[:-1], None, source))
        else:
            takes.append(Take(key, source if equals else key))
    return tuple(takes)


@dataclass(slots=True)
class Log:
    """An open log, read once; `bytes_read` tells how far. Raises `UsageError` for what is wrong with all of it."""

    file: BinaryIO
    shape: Shape
    form: str | None = None  # one of FORMATS; None looks at the first line
    bytes_read: int = 0
    seen: set[str] = field(default_factory=set)  # fields of descriptors that some line had

    def __iter__(self) -> Iterator[Request | Unreadable]:
        lines = self._lines()
        first = next(lines, None)
        if first is None:
            return
        form = self.form or ("jsonl" if (first[1] or b"").lstrip(b"\xef\xbb\xbf \t").startswith(b"{") else "csv")
        if form == "csv":
            columns = self._columns(first[1])
            shape = self.shape if self.shape.descriptors else _each_column(self.shape, columns)
            yield from self._requests(lines, shape, lambda text: log_records.csv_record(text, columns))
            return
        if not self.shape.descriptors:
            raise UsageError("--descriptor: JSON lines need at least one, which tells the fields of a descriptor")
        yield self._request(*first, self.shape, log_records.json_record)
        yield from self._requests(lines, self.shape, log_records.json_record)

    def _requests(
        self, lines: Iterator[tuple[int, bytes | None]], shape: Shape, read: Callable[[str], Record]
    ) -> Iterator[Request | Unreadable]:
        for number, data in lines:
            yield self._request(number, data, shape, read)

    def _request(
        self, number: int, data: bytes | None, shape: Shape, read: Callable[[str], Record]
    ) -> Request | Unreadable:
        try:
            return self._readable(number, data, shape, read)
        except LineError as error:
            return Unreadable(number, str(error))

    def _readable(self, number: int, data: bytes | None, shape: Shape, read: Callable[[str], Record]) -> Request:
        if data is None:
            raise LineError(f"is longer than {MAX_LINE_BYTES} bytes")
        record = read(log_records.text(data))
        time = log_records.value(record, shape.time)
        if time is None:
            raise LineError(f"has no {shape.time!r}")
        domain = shape.domain or log_records.value(record, "domain") or shape.other_domain
        if not domain:
            raise LineError("has no 'domain'")
        hits = log_records.hits(log_records.value(record, "hits"))
        return Request(number, log_records.microseconds(time), domain, tuple(self._descriptors(record, shape, hits)))

    def _descriptors(self, record: Record, shape: Shape, hits: int) -> Iterator[Descriptor]:
        for takes in shape.descriptors:
            entries = []
            for key, source, text in takes:
                value = text if source is None else log_records.value(record, source)
                if value is None:
                    break
                if source is not None:
                    self.seen.add(source)
                entries.append((key, value))
            else:
                yield Descriptor(tuple(entries), hits)

    def _columns(self, data: bytes | None) -> list[str]:
        try:
            columns = next(csv.reader([log_records.text(data or b"").removeprefix("\ufeff")], strict=True), [])
        except (LineError, csv.Error) as error:
            raise UsageError(f"--log: its first line is no CSV header: {error}") from None
        for column in columns:
            if columns.count(column) > 1:
                raise UsageError(f"--log: its header has the column {column!r} more than once")
        if self.shape.time not in columns:
            raise UsageError(f"--log: {unknown(self.shape.time, columns, 'column')} (--time names that with the time)")
        for takes in self.shape.descriptors:
            for take in takes:
                if take.field is not None and take.field not in columns:
                    raise UsageError(f"--descriptor: {unknown(take.field, columns, 'column')}")
        if not self.shape.domain and not self.shape.other_domain and "domain" not in columns:
            raise UsageError("--domain: is needed: there are limits of several domains, and the log has no 'domain'")
        return columns

    def _lines(self) -> Iterator[tuple[int, bytes | None]]:
        """Each line that is not blank, with its number; None for one that is too long."""
        number = 0
        while data := self._read_line():
            number += 1
            self.bytes_read += len(data)
            if len(data) > MAX_LINE_BYTES:
                while data and not data.endswith(b"\n"):
                    data = self._read_line()
                    self.bytes_read += len(data)
                yield number, None
            elif data.strip():
                yield number, data

    def _read_line(self) -> bytes:
        try:
            return self.file.readline(MAX_LINE_BYTES + 1)
        except OSError as error:
            raise UsageError(f"--log: cannot be read: {error.strerror}") from error


def _each_column(shape: Shape, columns: Sequence[str]) -> Shape:
    others = [column for column in columns if column and column not in {shape.time, "domain", "hits"}]
    if not others:
        raise UsageError("--log: its header has no column for a descriptor")
    return Shape(tuple((Take(column, column),) for column in others), shape.time, shape.domain, shape.other_domain)
