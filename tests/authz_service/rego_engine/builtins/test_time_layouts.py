"""How times are written by layouts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import times  # noqa: F401  (its import declares time.format)
from authz_service.rego_engine.builtins.time_layouts import MAX_LENGTH, Piece, pieces
from tests.authz_service.rego_engine.builtins.operands import call, fault

SECOND = 10**9
EARLY = 1_136_181_845 * SECOND + 6_700_000  # 2006-01-02 06:04:05.0067 UTC
LATE = 1_700_000_000 * SECOND + 123_456_789  # 2023-11-14 22:13:20.123456789 UTC


@pytest.mark.parametrize(
    ("moment", "zone", "layout", "text"),
    [
        (EARLY, "UTC", "ANSIC", "Mon Jan  2 06:04:05 2006"),
        (EARLY, "UTC", "UnixDate", "Mon Jan  2 06:04:05 UTC 2006"),
        (LATE, "America/New_York", "RFC822", "14 Nov 23 17:13 EST"),
        (LATE, "America/New_York", "RFC1123", "Tue, 14 Nov 2023 17:13:20 EST"),
        (LATE, "Asia/Kolkata", "RubyDate", "Wed Nov 15 03:43:20 +0530 2023"),
        (LATE, "UTC", "RFC3339", "2023-11-14T22:13:20Z"),
        (LATE, "UTC", "Monday, January 2 at 3:04pm", "Tuesday, November 14 at 10:13pm"),
        (EARLY, "UTC", "3:4:5 PM", "6:4:5 AM"),
        (EARLY, "UTC", "03 1/2/06 __2 002", "06 1/2/06   2 002"),
        (LATE, "UTC", "20060102_150405", "20231114_221320"),
        (LATE, "UTC", "_2006 _2", "_2023 14"),
        (LATE, "UTC", "05.000 05,000000 05.0000000000", "20.123 20,123456 20.123456789"),
        (EARLY, "UTC", "05.999 05,99 05.0001", "05.006 05 05.0001"),
        (LATE, "Asia/Kolkata", "Z0700 Z07:00 Z07 -07 -070000 -07:00:00", "+0530 +05:30 +05 +05 +053000 +05:30:00"),
        (LATE, "UTC", "Z0700 Z07:00 Z07 -07 -070000 -07:00:00", "Z Z Z +00 +000000 +00:00:00"),
        (LATE, "America/Sao_Paulo", "MST", "-03"),
        (LATE, "UTC", "Janet met Monte in the Mall", "Janet met Monte in the Mall"),
        (LATE, "UTC", "2006\u5e74", "2023\u5e74"),
        (LATE, "UTC", "", "2023-11-14T22:13:20.123456789Z"),
    ],
)
def test_a_time_is_written_as_opa_writes_it(moment: int, zone: str, layout: str, text: str) -> None:
    assert call("time.format", [moment, zone, layout]) == text


def test_an_offset_may_have_seconds() -> None:
    early = -(3 * 10**18)
    assert call("time.format", [early, "Africa/Monrovia", "-07:00:00 -0700"]) == "-00:43:08 -0043"


def test_a_layout_has_a_bound() -> None:
    assert call("time.format", [0, "UTC", "x" * MAX_LENGTH]) == "x" * MAX_LENGTH
    assert fault("time.format", [0, "UTC", "x" * (MAX_LENGTH + 1)]).text == "layout is longer than 1000 characters"


def test_texts_between_elements_are_one_piece_each() -> None:
    assert pieces("at 15h") == (Piece("text", "at "), Piece("15", "15"), Piece("text", "h"))


@given(st.text(alphabet="JanuryMondT0123456789_-Z:.,Pp \ud800", max_size=30))
def test_the_pieces_of_a_layout_make_up_the_layout(layout: str) -> None:
    assert "".join(piece.text for piece in pieces(layout)) == layout
