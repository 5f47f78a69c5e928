"""Our detectors as an analyser."""

from __future__ import annotations

from authz_service.deep_scan.analyser import ANALYSERS, Detectors, Hit

SSN = "123-45-6789"


def test_hits_are_in_characters_of_the_text() -> None:
    """However many bytes they take."""
    text = f"ü{SSN}€€ {SSN}"
    assert Detectors().analyse(text) == [Hit("us_ssn", 1, 12, 1.0), Hit("us_ssn", 15, 26, 1.0)]
    assert all(text[hit.start : hit.end] == SSN for hit in Detectors().analyse(text))


def test_a_text_that_cannot_be_written_as_utf_8_is_read_as_far_as_it_can() -> None:
    """A lone surrogate ends no worker."""
    assert Detectors().analyse(f"\ud800 {SSN}") == [Hit("us_ssn", 2, 13, 1.0)]


def test_analysers_have_names() -> None:
    """Those of the configuration."""
    assert set(ANALYSERS) == {"detectors", "presidio"}
