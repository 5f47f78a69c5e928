"""JSON as whoever parses it reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.codings import CodingError
from authz_service.dlp.views.folding import fold
from authz_service.dlp.views.json_text import MAX_NUMBER, JsonView
from authz_service.dlp.views.piece import Syntax
from tests.authz_service.dlp.streaming import SCANNER, Noting
from tests.authz_service.dlp.views.cutting import cuts, read, same_however_cut, texts, whole_ones

CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from(
    '"\\/\b\f\n\r\t\u200b\uff11\U0001f600-0123456789'
)
STRINGS = st.text(CHARACTERS, max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=8,
)
BODIES = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(),
    VALUES, st.booleans(), st.sampled_from([None, 1]),
)  # fmt: skip
CRUMBS = [
    b'"', b"\\", b"u", b"d83d", b"de00", b"\\u200b", b"12345678", b"1e9", b"\n", b":", b" ", b"\xff", b"\xe2", b"\x80",
    b"\\\\u0031", b"\\" * 8, b"\\" * 63, b"n", b"/", b"\\u002f",
]  # fmt: skip
LIKE_JSON = st.lists(st.sampled_from(CRUMBS), max_size=20).map(b"".join)


def plain(value: str) -> bytes:
    """A string as detectors read it: escapes that become two bytes are two."""
    for character in '"\n\r\b\f':
        value = value.replace(character, character * 2)
    return fold(value.replace("\\", "\0\0").encode())


def strings(value: Any) -> list[str]:
    """All strings of a value, in the order in which they are written."""
    if isinstance(value, dict):
        return [text for name, member in value.items() for text in [name, *strings(member)]]
    if isinstance(value, list):
        return [text for member in value for text in strings(member)]
    return [value] if isinstance(value, str) else []


@given(st.data(), BODIES | LIKE_JSON)
def test_however_it_is_cut_it_reads_the_same(data: st.DataObject, body: bytes) -> None:
    """In the middle of a character, an escape, a pair or a number, JSON or not."""
    same_however_cut(JsonView, body, data.draw(cuts(body)))


@given(st.data(), st.lists(BODIES, max_size=4))
def test_so_do_lines(data: st.DataObject, bodies: list[bytes]) -> None:
    """Each is a record."""
    body = b"".join(json.dumps(json.loads(each)).encode() + b"\n" for each in bodies)
    pieces = same_however_cut(lambda: JsonView(lines=True), body, data.draw(cuts(body)))
    assert len(texts(pieces)) == len(bodies) + 1


@given(st.lists(STRINGS, min_size=1, max_size=5))
def test_strings_read_as_a_parser_reads_them(values: list[str]) -> None:
    """With folded look-alikes, and some escapes as two bytes; written with escapes or without."""
    for ascii_only in (True, False):
        body = json.dumps(values, ensure_ascii=ascii_only).encode()
        (text,) = texts(read(JsonView(), [body]))
        assert text == b'["' + b'", "'.join(map(plain, values)) + b'"]'


@given(BODIES)
def test_names_stand_before_their_values(body: bytes) -> None:
    """As they are written: a detector looks there for words."""
    (text,) = texts(read(JsonView(), [body]))
    place = 0
    for each in strings(json.loads(body)):
        place = text.index(plain(each), place)


def test_a_body_without_escapes_is_one_piece() -> None:
    """Whatever its size."""
    body = json.dumps([{"name": "Ann", "note": "all is well", "n": index} for index in range(5_000)]).encode()
    assert len(read(JsonView(), [body])) == 1


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        (b'{"a": 4111111111111111}', [b"4111111111111111"]),
        (b"[123456789,-987654321 ,1.2345e678]", [b"123456789", b"-987654321", b"1.2345e678"]),
        (b"123456789", [b"123456789"]),
        (b'{"a": "order 123456789 is", "b": 123456}', []),
        (b'{"a": "x\\" 123456789 ", "b\\\\": 123456789}', [b"123456789"]),
        (b"[" + b"1" * 65 + b"]", []),
        (b'{"a1234567890": "1234567890"}', []),
    ],
)
def test_long_numbers_outside_of_strings_are_pieces_of_their_own(body: bytes, numbers: list[bytes]) -> None:
    """They are replaced as a whole, or not at all."""
    for syntax in (Syntax.FIXED, Syntax.JSON_NUMBER):
        for parts in ([body], [bytes([byte]) for byte in body]):
            found = whole_ones(read(JsonView(numbers=syntax), parts))
            assert found == [(number, number, syntax) for number in numbers]


def test_a_broken_record_does_not_turn_strings_inside_out_for_the_next() -> None:
    """A quote that is missing in one line is of that line."""
    pieces = read(JsonView(lines=True), [b'{"a": "x}\n{"b": 123456789}\n'])
    assert whole_ones(pieces) == [(b"123456789", b"123456789", Syntax.FIXED)]


@pytest.mark.parametrize("escape", [b"\\ud83d", b"\\ude00", b"\\uD83D\\u0041", b"\\u12", b"\\u", b"\\", b"\\x"])
def test_what_is_no_character_is_read_all_the_same(escape: bytes) -> None:
    """A half of a pair, an escape that breaks off."""
    for parts in ([b'"', escape, b"XY"], [b'"' + escape + b"XY"]):
        (text,) = texts(read(JsonView(), parts))
        assert text.endswith(b"XY")


@pytest.mark.parametrize("levels", range(1, 7))
def test_json_in_a_string_is_read_too(levels: int) -> None:
    """As deep as tools put one answer into another."""
    written = '"\\u0031\\n\\/2"'
    for _ in range(levels):
        written = json.dumps(written)
    (text,) = texts(read(JsonView(), [written.encode()]))
    assert text.strip(b'"\0') == b"1" + b"\n" * (2**levels + 1 if levels < 4 else 1) + b"/2"


@pytest.mark.parametrize("slash", ["\\/", "\\u002f", "/"])
def test_a_slash_in_a_string_in_a_string_is_one_however_it_is_written(slash: str) -> None:
    """Each writer may escape it or not."""
    for inner in ("\\/", "\\u002F", "/"):
        body = json.dumps('"a' + inner + 'b"').replace("/", slash)
        assert texts(read(JsonView(), [body.encode()]))[0].strip(b'"') == b"a/b", body


@pytest.mark.parametrize("levels", range(1, 8))
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_key_in_json_in_strings_is_found(levels: int, end: str) -> None:
    """Its lines are lines, however many backslashes it takes to write them."""
    line = "MIIEvQIBADANBgkqhkiG9w0B" + "AQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    written = end.join(["-----BEGIN" + " PRIVATE KEY-----", *[line] * 4, "-----END" + " PRIVATE KEY-----"])
    for _ in range(levels):
        written = json.dumps({"key": written})
    for step in (len(written), 1):
        redactor = BodyRedactor(JsonView(), SCANNER, Noting())
        parts = [written[place : place + step].encode() for place in range(0, len(written), step)]
        out = b"".join([*map(redactor.feed, parts), redactor.finish()])
        assert b"[REDACTED:private_key]" in out
        assert b"MIIE" not in out


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (b"1.23456789e8", b"123456789"), (b"123456789.0", b"123456789"), (b"123456789E0", b"123456789"),
        (b"-1234567890e-1", b"-123456789"), (b"1.23456789e7", b"1.23456789e7"),
        (b"1.0000e999999999", b"1.0000e999999999"),
        (b"1.2.3.4.5.6", b"1.2.3.4.5.6"), (b"0.000e-99999", b"0.000e-99999"),
    ],
)  # fmt: skip
def test_a_whole_number_is_read_in_digits(written: bytes, read_as: bytes) -> None:
    """However it is written; whoever parses it cannot tell."""
    assert texts(read(JsonView(), [b"[" + written + b"]"])) == [b"[" + read_as + b"]"]


@pytest.mark.parametrize("zeros", [60, 100, 300])
@pytest.mark.parametrize("cut", [True, False])
def test_a_whole_number_with_many_zeros_behind_its_point_is_read(zeros: int, *, cut: bool) -> None:
    """Its beginning tells it; too long to be written anew, it stays or blocks."""
    body = b'{"n": 4786344436638369.%s}' % (b"0" * zeros)
    parts = [body[at : at + 1] for at in range(len(body))] if cut else [body]
    ((raw, text, syntax),) = whole_ones(read(JsonView(numbers=Syntax.JSON_NUMBER), parts))
    assert (raw, text, syntax) == (body[6 : 6 + MAX_NUMBER], b"4786344436638369 ", Syntax.FIXED)


@pytest.mark.parametrize("begun", [b"4.786344436638369e", b"4786344436638369E-", b"0.0e+"])
def test_a_number_whose_exponent_does_not_end_is_refused(begun: bytes) -> None:
    """What it stands for hangs on its last digits. In a string it is a text."""
    body = b"[1, " + begun + b"0" * 70 + b"15]"
    for parts in ([body], [body[at : at + 1] for at in range(len(body))]):
        with pytest.raises(CodingError, match="number_too_long"):
            read(JsonView(), parts)
    text = b'["' + begun + b"0" * 70 + b'"]'
    assert texts(read(JsonView(), [text])) == [text]
    assert texts(read(JsonView(), [b"[" + b"9" * 100 + b"]"])) == [b"[" + b"9" * 100 + b"]"]
