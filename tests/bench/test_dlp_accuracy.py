"""Findings held against samples."""

from __future__ import annotations

import pytest

from bench.dlp_accuracy import Finding, Score, examples, judge, table
from bench.dlp_corpus import VALUES, Sample

EVERY = frozenset(VALUES)


def value(number: int, entity: str) -> Sample:
    return Sample(number, "xx value yy", 3, 8, entity, "value")


def score(entity: str, *samples_and_findings: tuple[Sample, list[Finding]]) -> Score:
    findings = {sample.id: found for sample, found in samples_and_findings}
    verdict = judge([sample for sample, _ in samples_and_findings], findings, EVERY)
    return next(each for each in verdict.scores if each.entity == entity)


def test_a_value_is_found_where_a_span_of_its_entity_overlaps_it() -> None:
    found = score(
        "us_ssn",
        (value(1, "us_ssn"), [Finding("us_ssn", 0, 4)]),
        (value(2, "us_ssn"), [Finding("us_ssn", 0, 3)]),  # ends where it begins
        (value(3, "us_ssn"), []),
    )
    assert (found.values, found.found, found.right, found.false) == (3, 1, 1, 1)
    assert found.recall == pytest.approx(1 / 3)
    assert found.precision == 0.5


def test_an_entity_that_names_the_same_thing_counts_and_another_one_does_not() -> None:
    sample = value(1, "us_passport")
    assert score("us_passport", (sample, [Finding("uk_passport", 3, 8)])).found == 1
    other = score("us_passport", (sample, [Finding("us_ssn", 3, 8)]))
    assert (other.found, other.misnamed) == (0, 1)
    assert score("us_ssn", (sample, [Finding("us_ssn", 3, 8)])).false == 1


def test_a_credential_that_is_called_a_secret_is_not_found_and_no_false_alarm() -> None:
    sample, finding = value(1, "stripe_key"), Finding("generic_secret", 3, 8)
    assert score("stripe_key", (sample, [finding])).found == 0
    assert score("generic_secret", (sample, [finding])).false == 0
    assert score("generic_secret", (value(1, "us_ssn"), [finding])).false == 1


def test_whatever_is_found_in_a_near_miss_is_false_and_told_by_its_kind() -> None:
    sample = Sample(1, "xx value yy", 3, 8, "", "git sha")
    verdict = judge([sample], {1: [Finding("iban", 0, 1), Finding("iban", 3, 8), Finding("unknown", 3, 8)]}, EVERY)
    assert verdict.alarms == {"git sha": {"iban": 2}}
    assert any("git sha" in line and "iban 2" in line for line in table(verdict))


def test_a_goal_is_met_by_recall_and_precision_both() -> None:
    assert Score("iban", 100, 98, 0, 98, 2).is_met
    assert not Score("iban", 100, 97, 0, 97, 0).is_met
    assert not Score("iban", 100, 100, 0, 97, 3).is_met
    assert Score("us_ssn", 100, 95, 0, 95, 5).is_met  # without a checksum less will do


def test_misses_are_shown_when_asked_for_the_most_frequent_first() -> None:
    samples = [value(1, "us_ssn"), value(2, "iban"), value(3, "iban")]
    verdict = judge(samples, {3: [Finding("us_ssn", 3, 8)], 2: [Finding("us_ssn", 3, 8)]}, EVERY)
    lines = list(examples(verdict, 1))
    assert lines[0] in {"  missed iban, taken for us_ssn: 2", "  false us_ssn in iban: 2"}
    assert "  missed us_ssn, taken for nothing: 1" in lines
    assert list(examples(verdict, 0)) == []


def test_entities_that_a_scanner_does_not_know_are_not_held_against_it() -> None:
    verdict = judge([value(1, "iban"), value(2, "us_ssn")], {}, frozenset({"us_ssn"}))
    assert [each.entity for each in verdict.scores] == ["us_ssn"]
    assert len(verdict.missed) == 1


def test_it_is_no_false_alarm_to_find_another_value_that_the_text_holds() -> None:
    """Nor need it be found."""
    text = "ssn 219-09-9999 of kim@corp.example"
    sample = Sample(1, text, 4, 15, "us_ssn", "", also=(("email_address", 19, 35),))
    verdict = judge([sample], {1: [Finding("us_ssn", 4, 15), Finding("email_address", 19, 35)]}, frozenset(VALUES))
    assert not verdict.false
    assert not verdict.missed
    verdict = judge([sample], {1: [Finding("us_ssn", 4, 15), Finding("iban", 19, 35)]}, frozenset(VALUES))
    assert len(verdict.false) == 1
