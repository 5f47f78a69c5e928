"""Numbers that governments give to people."""

from __future__ import annotations

from authz_service.dlp.detectors.detector import DIGITS, Detector, stands_alone

# What people put between the groups of a number: space, tab, dot, hyphen, and in UTF-8 the no-break space (C2 A0), the
# dashes U+2010 to U+2015 (E2 80 90 to 95) and the minus sign (E2 88 92).
_SEPARATOR = r"(?:[ \t.-]|\xc2\xa0|\xe2\x80[\x90-\x95]|\xe2\x88\x92)"
_SSN = rf"[0-9]{{3}}{_SEPARATOR}[0-9]{{2}}{_SEPARATOR}[0-9]{{4}}"


def _is_ssn(text: bytes, start: int, end: int) -> float:
    """Judge by the Social Security Administration's own rules (RM 10201.035); there is no check digit.

    Area 000, 666 and 900 to 999, group 00 and serial 0000 were never given out.
    """
    if not stands_alone(text, start, end, DIGITS):
        return False
    number = bytes(byte for byte in text[start:end] if byte in DIGITS)
    area, group, serial = number[:3], number[3:5], number[5:]
    return area not in {b"000", b"666"} and area < b"900" and group != b"00" and serial != b"0000"


DETECTORS = (
    # Grouped as on the card. Nine bare digits are too common to be one without a word beside them.
    Detector("us_ssn", "us_ssn_grouped", _SSN, _SSN, _is_ssn),
)
