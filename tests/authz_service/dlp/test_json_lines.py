"""JSON lines with texts → records, and findings in characters."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp import json_lines
from authz_service.dlp.detectors import Detector
from authz_service.dlp.json_lines import BrokenLine, Record, hits, records
from authz_service.dlp.scan import Scanner

MARK = Detector("mark", "mark", "abc", "abc", lambda *_: 0.5)
SCANNER = Scanner([MARK])


def read(data: bytes) -> list[Record | BrokenLine]:
    return list(records(io.BytesIO(data).readline))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(pairs=st.lists(st.tuples(JSON, st.text())))
def test_what_is_written_is_read(pairs: list[tuple[Any, str]]) -> None:
    data = b"".join(json.dumps({"id": number, "text": text}).encode() + b"\n" for number, text in pairs)
    assert read(data) == [Record(at, number, text) for at, (number, text) in enumerate(pairs, 1)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"id": 1', "is not JSON"),
        (b"NaN", "is not JSON"),
        (b'{"id": NaN, "text": ""}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"1" * 5_000, "is not JSON"),
        (b"\xff", "is not UTF-8"),
        (b"[]", "is no object"),
        (b'{"text": "a"}', 'has no "id"'),
        (b'{"id": 1}', 'has no "text" that is a string'),
        (b'{"id": 1, "text": null}', 'has no "text" that is a string'),
    ],
)
def test_a_line_that_is_no_record_is_told_of_and_the_next_one_is_read(line: bytes, fault: str) -> None:
    assert read(b"\n" + line + b'\n{"id": 2, "text": "b"}') == [BrokenLine(2, fault), Record(3, 2, "b")]


def test_a_line_that_is_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_LINE", 30)
    good = b'{"id": 1, "text": "a"}'
    lines = [b"x" * 31, b"x" * 100, good.ljust(29), b"x" * 60, good]
    found = read(b"\n".join(lines))
    fault = "is longer than 30 bytes"
    assert found == [
        BrokenLine(1, fault), BrokenLine(2, fault), Record(3, 1, "a"), BrokenLine(4, fault), Record(5, 1, "a"),
    ]  # fmt: skip


@given(pieces=st.lists(st.sampled_from(["abc", "é", "😀", "\ud800", "x", "\n", "ab"])))
def test_findings_are_told_in_the_characters_of_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = hits(text, SCANNER)
    assert [text[hit.start : hit.end] for hit in found] == ["abc"] * text.count("abc")
    assert [hit.span.confidence for hit in found] == [0.5] * len(found)
