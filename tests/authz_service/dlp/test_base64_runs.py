"""Base64 in a text."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.found import Blocked
from authz_service.dlp.views.piece import Piece, Syntax
from tests.authz_service.dlp.streaming import HARD, KEY, SCANNER, SSN, TOKEN, Noting, lines, redactor

SECRETS = [SSN, KEY, TOKEN, b"<<BEGIN>>" + b"ab" * 600 + b"<<END>>", b"f_" + b"a" * 700]


def redact(text: bytes, passes: frozenset[str] = frozenset()) -> bytes:
    """What comes out of a text at once."""
    body = redactor(Noting(passes))
    return body.feed(text) + body.finish()


@given(
    st.binary(max_size=60),
    st.sampled_from(SECRETS),
    st.binary(max_size=60),
    st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
)
def test_what_is_around_a_finding_stays_as_it_is(before: bytes, secret: bytes, after: bytes, encode) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """In its place, and by its own encoding."""
    before, after = before.rjust(24, b"\0") + b"\0", b"\0" + after.ljust(24, b"\0")
    written = encode(before + secret + after)
    out = redact(b'{"data":"' + written + b'"}')
    inner = out[len(b'{"data":"') : -len(b'"}')]
    read = base64.urlsafe_b64decode(inner.replace(b"+", b"-").replace(b"/", b"_"))
    assert secret not in read
    assert b"[REDACTED:" in read
    assert read.startswith(before[: len(before) // 2])
    assert SCANNER.scan(read) == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("width", [64, 76])
def test_a_finding_in_two_lines_is_one(width: int, end: bytes) -> None:
    """Lines that are not touched stay."""
    text = b"." * 40 + KEY + b"." * 200
    written = lines(base64.b64encode(text), width, end)
    out = redact(written + end)
    assert out.split(end)[-3:] == (written + end).split(end)[-3:]
    read = base64.b64decode(out)
    assert read.startswith(b"." * 39)
    assert b"[REDACTED:aws_access_key]" in read
    assert KEY not in read


def test_only_the_fours_that_are_touched_change() -> None:
    """The replacement is filled up with spaces."""
    written = base64.b64encode(b"abc" * 8 + SSN + b"def" * 8)
    out = redact(written)
    assert out.startswith(written[:32])
    assert out.endswith(written[-28:])
    assert base64.b64decode(out) == b"abc" * 8 + b"[REDACTED:us_ssn]" + b"def" * 8
    shorter = base64.b64encode(b"abc" * 8 + KEY + b"def" * 8)
    assert base64.b64decode(redact(shorter)) == b"abc" * 8 + b"[REDACTED:aws_access_key]d " + b"ef" + b"def" * 7


@pytest.mark.parametrize("size", range(24, 28))
def test_the_end_of_a_run_stays_an_end(size: int) -> None:
    """With its padding or without."""
    text = b"." * size + SSN
    written = base64.b64encode(text)
    assert base64.b64decode(redact(written)).rstrip() == b"." * size + b"[REDACTED:us_ssn]"
    bare = redact(written.rstrip(b"="))
    assert base64.b64decode(bare + b"=" * (-len(bare) % 4)).rstrip() == b"." * size + b"[REDACTED:us_ssn]"


def test_what_is_encoded_twice_is_not_decoded_twice() -> None:
    """One level is enough for what applications read."""
    twice = base64.b64encode(base64.b64encode(b"." * 30 + SSN + b"." * 30))
    assert redact(twice) == twice


def test_what_was_found_as_it_stands_is_not_looked_into() -> None:
    """A token is one finding, let pass or not."""
    inner = b"f_abcdef" + base64.b64encode(b"abc" * 8 + SSN + b"abcd")
    assert b"+" not in inner
    assert SSN in base64.b64decode(inner.replace(b"_", b"/"))
    assert redact(inner) == b"[REDACTED:far]"
    assert redact(inner, frozenset({"far"})) == inner


def test_what_is_let_pass_is_not_written_anew() -> None:
    """Byte for byte."""
    written = base64.b64encode(b"." * 30 + SSN + b"\xff" * 30)
    assert redact(written, frozenset({"us_ssn_grouped"})) == written


SHORT = base64.b64encode(SSN)


@pytest.mark.parametrize(
    "around",
    [
        b"%s",
        b'{"a":"%s"}',
        b"a=%s&b=c",
        b"x\n%s\nx",
        b"(%s)",
        b"a/%s",
        b"/var/%s",
        b"a%s",
        b"abc%s",
        b"-_-%s",
    ],
)
def test_a_short_run_is_read_by_its_shape(around: bytes) -> None:
    """Whatever stands around it and before it, such as a path; it need not begin with a whole four."""
    for written in (SHORT, SHORT.rstrip(b"=")):
        out = redact(around % written)
        begin, end = around.split(b"%s")
        assert out.startswith(begin)
        assert out.endswith(end)
        inner = out[len(begin) : len(out) - len(end)]
        assert base64.b64decode(inner + b"=" * (-len(inner) % 4)).rstrip() == b"[REDACTED:us_ssn]"


@pytest.mark.parametrize("first", [b"219-09-9999", b"219-09-9999.", b"my number: 219-09-9999"])
def test_texts_that_are_glued_together_are_read_one_by_one(first: bytes) -> None:
    """Without padding between them the second is out of step."""
    written = b"".join(base64.b64encode(text).rstrip(b"=") for text in (first, SSN, b"a longer text with " + KEY, SSN))
    treat = Noting()
    body = redactor(treat)
    out = body.feed(written) + body.finish()
    assert [value for _, value, _ in treat.asked] == [b"219-09-9999", SSN, KEY, SSN]
    assert SHORT[:8] not in out


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("glued", [b"ab", b"abc/"])
def test_lines_of_a_text_that_is_out_of_step_are_one(glued: bytes, end: bytes) -> None:
    """Once it is known that it is."""
    text = b"this is the text of a letter that goes on for some lines, so that " * 2
    written = lines(glued + base64.b64encode(text[:100] + KEY + text[100:]), 64, end)
    out = b"".join(redact(written).split(end))
    assert base64.b64decode(out[len(glued) :] + b"==").replace(b" ", b"").count(b"[REDACTED:aws_access_key]") == 1


@given(st.binary(max_size=60), st.sampled_from([SSN, KEY, TOKEN]), st.binary(max_size=30), st.integers(0, 3))
def test_a_value_in_step_with_its_run_is_found_whatever_is_before(
    start: bytes, secret: bytes, after: bytes, more: int
) -> None:
    """Texts that are out of step are read beside it, not in its place."""
    decoy = base64.b64decode(b"ab/M" + SHORT[:15] + b"A" * (more * 4 + 1))
    before = b"\0" * 12 + decoy + start[: len(start) // 3 * 3] + b"\0"
    out = redact(base64.b64encode(before + secret + b"\0" + after))
    assert secret not in base64.b64decode(out.rstrip(b"=") + b"==")


@pytest.mark.parametrize("text", [b"me@a.co", b"1.2.3.4", b"a word", b"id123"])
def test_what_is_too_short_is_a_word(text: bytes) -> None:
    """Three fours that look so are needed."""
    written = base64.b64encode(text)
    assert redact(written) == written


def test_a_run_in_a_form_is_written_as_one() -> None:
    """Its signs have a meaning there."""
    treat = Noting()
    written = base64.b64encode(b"." * 24 + b"\xfb" + SSN + b"\xff" * 24)

    class Form:
        def feed(self, data: bytes) -> list[Piece]:
            return [Piece(data, data, Syntax.FORM)]

        def finish(self) -> list[Piece]:
            return []

    body = BodyRedactor(Form(), SCANNER, treat)
    out = body.feed(written) + body.finish()
    assert b"%2B" in out
    assert treat.asked == [("us_ssn_grouped", SSN, 32)]


def test_a_run_at_a_fixed_place_blocks() -> None:
    """As what stands there plainly does."""

    class Fixed:
        def feed(self, data: bytes) -> list[Piece]:
            return [Piece(data, data, Syntax.FIXED)]

        def finish(self) -> list[Piece]:
            return []

    body = BodyRedactor(Fixed(), SCANNER, Noting())
    with pytest.raises(Blocked, match="secret_in_fixed_place"):
        body.feed(base64.b64encode(b"." * 30 + SSN + b"." * 30) + b" " * SCANNER.hold_back)


@given(
    st.lists(
        st.sampled_from(
            [b"a" * 25, b"0123-4567-89ab-cdef-0123456789ab", b"/usr/lib/python3/site_packages", b" ", b"\n"]
        ),
        max_size=9,
    )
)
def test_names_and_digests_pass(words: list[bytes]) -> None:
    """They stand for nothing."""
    text = b"".join(words)
    assert redact(text) == text


def test_the_hard_detectors_are_there() -> None:
    """On which the rules above rest."""
    assert {each.name for each in HARD} >= {"far", "tailed", "block"}
