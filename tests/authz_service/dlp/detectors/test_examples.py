"""Values that nobody ever gave out."""

from __future__ import annotations

import pytest

from authz_service.dlp.detectors import ALL, Detector
from authz_service.dlp.detectors.entropy import looks_random
from authz_service.dlp.detectors.examples import BASE64, HEX, made_up
from authz_service.dlp.scan import Scanner

SCANNER = Scanner(ALL)
WITH_EXAMPLE = [each for each in ALL if each.example is not None]


@pytest.mark.parametrize("alphabet", [HEX, BASE64])
def test_a_made_up_value_is_the_same_each_time_and_another_for_another_name(alphabet: bytes) -> None:
    """So that a canary can be looked for."""
    value = made_up("name", 32, alphabet)
    assert value == made_up("name", 32, alphabet) != made_up("other", 32, alphabet)
    assert len(value) == 32
    assert set(value) <= set(alphabet)
    assert looks_random(value)


@pytest.mark.parametrize("detector", WITH_EXAMPLE, ids=lambda each: each.name)
def test_each_example_is_found_by_its_own_detector_and_named_by_it_among_all(detector: Detector) -> None:
    """Alone and in a sentence."""
    assert detector.example is not None
    for text in (detector.example(), b"see " + detector.example() + b" there", b"\n(" + detector.example() + b")\n"):
        for scanner in (Scanner([detector]), SCANNER):
            assert [span.detector.name for span in scanner.scan(text)] == [detector.name]


def test_each_detector_of_secrets_tells_who_defines_its_form() -> None:
    assert [each.name for each in WITH_EXAMPLE if not each.source] == []
