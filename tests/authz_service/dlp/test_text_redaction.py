"""Parts of a body → the same, with other things in the place of what was found."""

from __future__ import annotations

import pytest

from authz_service.dlp.found import Blocked
from authz_service.dlp.held import UNREAD, Part, numbered
from authz_service.dlp.text_redaction import TextRedaction
from authz_service.dlp.views.piece import Piece, Syntax
from tests.authz_service.dlp.streaming import KEY, SCANNER, SSN, Noting


def redacted(pieces: list[Piece], passes: frozenset[str] = frozenset()) -> tuple[list[Part], Noting]:
    """What comes out, and what was asked."""
    treat = Noting(passes)
    redaction = TextRedaction(SCANNER, treat)
    return [*redaction.feed(numbered(pieces, 0)), *redaction.finish()], treat


def raw(parts: list[Part]) -> bytes:
    """What goes on."""
    return b"".join(part.raw for part in parts)


def test_a_value_is_replaced_and_not_read_again() -> None:
    """What is around it is."""
    parts, treat = redacted([Piece(b"a " + SSN + b" b", b"a " + SSN + b" b")])
    assert [(part.raw, part.text) for part in parts] == [
        (b"a ", b"a "), (b"[REDACTED:us_ssn]", UNREAD), (b" b", b" b"),
    ]  # fmt: skip
    assert treat.asked == [("us_ssn_grouped", SSN, 2)]


def test_a_value_in_several_pieces_is_one() -> None:
    """All of its bytes go, those that read as nothing too; where it begins tells how the replacement is written."""
    pieces = [
        Piece(b'"123-', b'"123-', Syntax.JSON_STRING),
        Piece(b"\\u0034", b"4", Syntax.JSON_STRING, whole=True),
        Piece(b"\xe2\x80\x8b", b"", Syntax.JSON_STRING, whole=True),
        Piece(b'5-6789" ', b'5-6789" ', Syntax.JSON_STRING),
    ]
    parts, treat = redacted(pieces)
    assert raw(parts) == b'"[REDACTED:us_ssn]" '
    assert treat.asked == [("us_ssn_grouped", SSN, 1)]


def test_a_whole_piece_goes_as_a_whole() -> None:
    """It is written once, however much was found in it."""
    number = b"acct " + SSN + b" " + SSN
    parts, _ = redacted([Piece(b"1e9", number, Syntax.JSON_NUMBER, whole=True), Piece(b",", b",")])
    assert raw(parts) == b'"[REDACTED:us_ssn]",'


def test_what_is_found_at_a_fixed_place_blocks() -> None:
    """Nothing of it goes on."""
    with pytest.raises(Blocked, match="secret_in_fixed_place") as caught:
        redacted([Piece(SSN, SSN, Syntax.FIXED)])
    assert caught.value.found is not None
    assert SSN.decode() not in repr(caught.value) + str(caught.value)
    with pytest.raises(Blocked):
        redacted([Piece(SSN[:5], SSN[:5]), Piece(SSN[5:], SSN[5:], Syntax.FIXED)])


def test_what_is_let_pass_goes_as_it_came() -> None:
    """And what is in it is asked for by itself."""
    mail = b"t_abcd@abc.com"
    parts, treat = redacted([Piece(b"x " + mail, b"x " + mail)], frozenset({"mail"}))
    assert raw(parts) == b"x [REDACTED:tailed]@abc.com"
    assert [name for name, _, _ in treat.asked] == ["mail", "tailed"]
    assert parts[-1].text == UNREAD
    parts, treat = redacted([Piece(mail, mail)])
    assert raw(parts) == b"[REDACTED:mail]"
    assert [name for name, _, _ in treat.asked] == ["mail"]


def test_what_overlaps_is_clipped() -> None:
    """Each is asked for what is left of it."""
    text = b"abcdefghijklmnopqr"
    _, treat = redacted([Piece(text, text)])
    assert treat.asked == [("left", b"abcdefgh", 0), ("right", b"ijklmnopqr", 8)]


def test_nothing_waits_behind_an_end() -> None:
    """What comes next has nothing to do with it."""
    redaction = TextRedaction(SCANNER, Noting())
    event = b"data: 123-45-\n\n"
    assert raw(redaction.feed(numbered([Piece(event, event, ends=True)], 0))) == event
    assert raw(redaction.feed(numbered([Piece(b"6789", b"6789", ends=True)], len(event)))) == b"6789"
    parts = redaction.feed(numbered([Piece(KEY, KEY, ends=True)], 100))
    assert [(part.raw, part.ends) for part in parts] == [(b"[REDACTED:aws_access_key]", True)]


def test_a_long_value_is_swallowed_as_it_comes() -> None:
    """Its value is not held, nor told."""
    treat = Noting()
    redaction = TextRedaction(SCANNER, treat)
    out = b""
    for part in [b"x f_", *[b"abcdefgh" * 8] * 12, b" y"]:
        out += raw(redaction.feed(numbered([Piece(part, part)], 0)))
    assert out + raw(redaction.finish()) == b"x [REDACTED:far] y"
    assert [value for _, value, _ in treat.asked] == [None]


def test_what_reads_as_nothing_in_a_long_value_goes_with_it() -> None:
    """Wherever the value is cut."""
    nothing = Piece(b"\xe2\x80\x8b", b"", whole=True)
    redaction = TextRedaction(SCANNER, Noting())
    out = b""
    for text in (b"f_" + b"a" * 600, b"a" * 100, b"a" * 50 + b". "):
        out += raw(redaction.feed(numbered([Piece(text, text), nothing], 0)))
    assert out + raw(redaction.finish()) == b"[REDACTED:far]. \xe2\x80\x8b"


def test_short_texts_are_looked_at_together_and_read_each_for_itself() -> None:
    """As events are: nothing goes on from one to the next, and places count all that came."""
    events = [b"data: a\n\n"] * 1500 + [
        b"data: 123-45-",
        b"6789\n\n",
        b"data: " + SSN + b"\n\n",
        b"data: 123%2D45-6789\n\n",
    ]
    pieces = [Piece(event, event, ends=True) for event in events * 2]
    parts, treat = redacted(pieces)
    expected = [event.replace(SSN, b"[REDACTED:us_ssn]") for event in events[:-1]]
    assert raw(parts) == b"".join([*expected, b"data: %5BREDACTED%3Aus_ssn%5D\n\n"] * 2)
    first = len(b"".join(events[:-2])) + 6
    size = len(b"".join(events))
    escaped = first + len(events[-2])
    assert [place for _, _, place in treat.asked] == [first, escaped, first + size, escaped + size]
