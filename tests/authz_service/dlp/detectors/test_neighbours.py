"""What stands directly beside a candidate."""

from __future__ import annotations

import pytest

from authz_service.dlp.detectors.neighbours import is_part, touches_digit


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("12", False), (" 12 ", False), ("(12)", False), ("12.", False), ("12. ", False), ("-12-", False),
        ("id-12", False), ("x_12", False), ("12,5", False), ("é12é", False), ("a.12", False),
        ("a12", True), ("12a", True), ("012", True), ("123", True), ("3.12", True), ("12.3", True), ("3-12", True),
        ("12-3", True),
    ],
)  # fmt: skip
def test_letters_digits_and_joined_digits_make_it_a_part(text: str, part: bool) -> None:  # noqa: FBT001
    """A full stop or a hyphen with nothing behind it does not."""
    data = text.encode()
    start = data.index(b"12")
    assert is_part(data, start, start + 2) is part


@pytest.mark.parametrize(("text", "touches"), [("12", False), ("a12b", False), ("012", True), ("120", True)])
def test_only_digits_touch_a_number(text: str, touches: bool) -> None:  # noqa: FBT001
    """Letters may."""
    start = text.index("12")
    assert touches_digit(text.encode(), start, start + 2) is touches
