"""Numbers that governments give to people."""

from __future__ import annotations

from authz_service.dlp.detectors.detector import DIGITS, Detector, stands_alone


def _is_ssn(text: bytes, start: int, end: int) -> bool:
    """Judge by the Social Security Administration's own rules (RM 10201.035); there is no check digit.

    Area 000, 666 and 900 to 999, group 00 and serial 0000 were never given out.
    """
    if not stands_alone(text, start, end, DIGITS):
        return False
    area, group, serial = text[start : start + 3], text[start + 4 : start + 6], text[start + 7 : end]
    return area not in {b"000", b"666"} and area < b"900" and group != b"00" and serial != b"0000"


DETECTORS = (
    # Grouped as on the card. Nine bare digits are too common to be one without a word beside them.
    Detector("us_ssn", "us_ssn_grouped", r"[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}", _is_ssn),
)
