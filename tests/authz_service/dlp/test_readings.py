"""A text is read as it stands and with percent escapes undone."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.readings import Readings
from authz_service.dlp.views.opening import open_view
from tests.authz_service.dlp.streaming import KEY, SCANNER, SSN, Noting, chunks

CARD = b"4111 1111 1111 1111"
FORM = "application/x-www-form-urlencoded"


def through(body: bytes, content_type: str, cuts: list[int] | None = None, treat: Noting | None = None) -> bytes:
    """What comes out of a body."""
    redactor = BodyRedactor(open_view(content_type), SCANNER, treat or Noting())
    return b"".join([*map(redactor.feed, chunks(body, cuts or [])), redactor.finish()])


def each(text: bytes) -> bytes:
    """Every character percent-encoded."""
    return b"".join(b"%%%02x" % byte for byte in text)


@pytest.mark.parametrize(
    "written", [quote(CARD).encode(), quote_plus(CARD).encode(), each(CARD), b"4111%2d1111%2D1111-1111"]
)
@pytest.mark.parametrize(
    ("content_type", "around"),
    [
        ("application/json", (b'{"url": "https://x.example/?card=', b'&b=c", "n": 1}')),
        ("application/x-ndjson", (b'{"url": "https://x.example/?card=', b'"}\n')),
        ("text/plain", (b"see https://x.example/?card=", b" or 100%25, %d and 7%")),
        ("", (b"a=1&card=", b"&b=%20")),
        ("text/html", (b'<a href="https://x.example/?card=', b'&amp;b=1">x</a>')),
        ("application/xml", (b"<a>x=", b"</a>")),
        ("text/event-stream", (b'data: {"u": "?card=', b'"}\n\n')),
    ],
)
def test_a_value_in_a_url_or_a_form_is_found(content_type: str, around: tuple[bytes, bytes], written: bytes) -> None:
    """However it is encoded; what takes its place leaves the URL one, and what is around it as it came."""
    before, behind = around
    expected = before + b"%5BREDACTED%3Apayment_card%5D" + behind
    treat = Noting()
    assert through(before + written + behind, content_type, [], treat) == expected
    assert through(before + written + behind, content_type, list(range(200))) == expected
    assert treat.asked[0][1] in {CARD, CARD.replace(b" ", b"-")}


@pytest.mark.parametrize("value", [SSN, KEY])
def test_a_form_that_is_encoded_twice_is_read_so(value: bytes) -> None:
    """And once more is not."""
    twice = each(each(value))
    assert through(b"a=b&c=" + twice, FORM) != b"a=b&c=" + twice
    assert value not in through(b"a=b&c=" + value.replace(b"1", b"%2531").replace(b"A", b"%2541"), FORM)
    assert through(b"a=" + each(twice), FORM) == b"a=" + each(twice)


def test_what_is_found_as_it_stands_is_found_whatever_the_escapes_around_it_stand_for() -> None:
    """Whoever does not undo them has the value."""
    for text in (KEY + b"%41", SSN + b"%30", b"x " + SSN + b"%2D1"):
        assert b"REDACTED" in through(text, "text/plain")
        assert KEY not in through(text, "text/plain")
        assert SSN not in through(text, "text/plain")


def test_a_password_with_an_escape_goes_as_a_whole() -> None:
    """Undone, it would end at its first `@`."""
    out = through(b'{"a": "postgres://user:p%40ssw0rdXyz@db.example/x?a=%20"}', "application/json")
    assert out == b'{"a": "postgres://[REDACTED:connection_string]db.example/x?a=%20"}'


PROSE = [
    b"100%25",
    b"%d",
    b"7% off",
    b"%2",
    b"%",
    b"a%20b",
    b"%C3%A9",
    b"1+1",
    b"12+34=46",
    b"%E2%80%8B",
    b"+",
    b" ",
    b"x" * 500,
]


@given(st.lists(st.sampled_from(PROSE), max_size=20).map(b"".join), st.lists(st.integers(0, 2000), max_size=6))
def test_what_holds_nothing_passes_as_it_came(text: bytes, cuts: list[int]) -> None:
    """Byte for byte."""
    for content_type in ("text/plain", "application/json", "text/html", FORM):
        assert through(text, content_type, cuts) == text


def test_a_finding_of_both_readings_is_asked_for_once() -> None:
    """Where it is let pass, too."""
    treat = Noting(frozenset({"us_ssn_grouped"}))
    text = b"%20 my number is " + SSN + b" %20"
    assert through(text, "text/plain", [], treat) == text
    assert treat.asked == [("us_ssn_grouped", SSN, 17)]


def test_the_second_reading_goes_as_far_as_a_finding_and_no_further() -> None:
    """It begins where what goes by an escape can begin, and ends behind it."""
    readings = Readings(SCANNER)
    around = SCANNER.reach + SCANNER.before
    readings.feed(b"-" * 5000 + b"%20" + b"-" * (around - 10), ends=False)
    assert readings._undone is not None
    assert readings._undone.known <= 5003 + around
    readings.feed(b"-" * 20, ends=False)
    assert readings._undone is None


def test_a_long_value_with_escapes_goes_to_its_end() -> None:
    """As far as its own end is from the last escape."""
    text = b"<<BEGIN%3E%3E" + b"abcd\n" * 250 + b"<<END>>"
    for cuts in ([], [40, 700, 1300], list(range(1400))):
        assert through(text + b" rest", "text/plain", cuts) == b"%5BREDACTED%3Ablock%5D rest"


def test_nothing_waits_for_the_next_event() -> None:
    """An escape that has not ended ends with it."""
    redactor = BodyRedactor(open_view("text/event-stream"), SCANNER, Noting())
    for event in (b"data: 123%2D45%2\n\n", b"data: D6789 %4\n\n", b"data: 12+3\n\n", b"data: 4 \n\n"):
        assert redactor.feed(event) == event


@pytest.mark.parametrize("piece", [b"%20", b"%41", b"%E2%80%8B", b"12+34", b"%", b"+", b"%4", b"123%2D45%2D6789 "])
def test_escapes_take_searches_in_proportion_to_their_number(piece: bytes) -> None:
    """Twice as many, twice as much is read again, and not more of it is held back."""
    fed: list[int] = []
    for count in (4_000, 8_000):
        readings = Readings(SCANNER)
        text = piece * (count // len(piece))
        read = 0
        for place in range(0, len(text), 512):
            readings.feed(text[place : place + 512], ends=False)
            if readings._undone is not None:
                read += readings._undone.fed - readings._undone._marks[0].stands
                assert len(readings._undone._marks) <= 3_000
        fed.append(read)
    assert fed[1] <= 2.5 * fed[0] + 2000
