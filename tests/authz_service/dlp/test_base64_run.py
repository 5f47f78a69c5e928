"""One run of base64."""

from __future__ import annotations

import base64

import pytest

from authz_service.dlp.base64_run import Edit, Run
from tests.authz_service.dlp.streaming import SCANNER, SSN, Noting


def edits(characters: bytes, step: int) -> list[Edit]:
    """What is to be written anew in a run that comes in parts."""
    run = Run(SCANNER, Noting(), lambda character: character)
    found: list[Edit] = []
    for place in range(0, len(characters), step):
        found += run.feed(characters[place : place + step], ends=False)
        assert run.safe <= place + step
    return found + run.feed(b"", ends=True)


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_an_edit_is_of_whole_fours(step: int) -> None:
    """From the one in which a finding begins to the one in which it ends."""
    characters = base64.b64encode(b"." * 25 + SSN + b"." * 25)
    (edit,) = edits(characters, step)
    assert (edit.start, edit.end) == (32, 48)
    assert base64.b64decode(edit.text) == b".[REDACTED:us_ssn]"
    assert edit.found is not None


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_two_findings_in_one_four_are_one_edit(step: int) -> None:
    """Neither writes over the other."""
    characters = base64.b64encode(b"." * 23 + SSN + b" " + SSN + b"." * 24)
    (edit,) = edits(characters, step)
    assert base64.b64decode(edit.text).strip(b" .") == b"[REDACTED:us_ssn] [REDACTED:us_ssn]"


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_a_run_that_is_no_base64_is_read_as_far_as_it_is(step: int) -> None:
    """One character behind the last four stands for nothing."""
    characters = base64.b64encode(b"." * 24 + SSN + b".") + b"A"
    (edit,) = edits(characters, step)
    assert base64.b64decode(edit.text) == b"[REDACTED:us_ssn]."
    assert edit.end == len(characters) - 1


@pytest.mark.parametrize("sign", [b"-", b"_"])
def test_the_alphabet_is_the_runs_own(sign: bytes) -> None:
    """The other would not be read by all."""
    characters = sign * 4 + base64.urlsafe_b64encode(b"." * 24 + b"\xfb\xff" + SSN + b"\xff\xfe\xfb" * 4)
    (edit,) = edits(characters, 5)
    assert b"+" not in edit.text
    assert b"/" not in edit.text
