"""What was found, held against what was there: precision and recall by entity, false alarms by kind. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.dlp_corpus import VALUES, Sample
from bench.dlp_credentials import CREDENTIALS

SURE, OTHER = 0.98, 0.95
"""What precision and recall are to be: of values with a checksum or a fixed prefix, and of the rest."""

# Entities that name the same thing: a URL with a password in it, or nine digits beside the word passport.
_LIKE: Mapping[str, frozenset[str]] = {
    "connection_string": frozenset({"basic_auth_url", "generic_secret"}),
    "basic_auth_url": frozenset({"connection_string", "generic_secret"}),
    "gcp_service_account": frozenset({"private_key"}),
    "us_passport": frozenset({"uk_passport"}),
    "uk_passport": frozenset({"us_passport"}),
    "aws_secret_key": frozenset({"generic_secret"}),
    "azure_key": frozenset({"generic_secret", "connection_string"}),
    "twilio_key": frozenset({"generic_secret"}),
    "datadog_key": frozenset({"generic_secret"}),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a scanner says of a text: characters from `start` up to `end`."""

    entity: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Score:
    """How one entity fared: values that were there and were found, findings that were right and false.

    `misnamed` are those of the values that were not found, but taken for something else: that much does not leak.
    """

    entity: str
    values: int
    found: int
    misnamed: int
    right: int
    false: int

    @property
    def recall(self) -> float:
        """The share of values that were found."""
        return self.found / self.values if self.values else 1.0

    @property
    def precision(self) -> float:
        """The share of findings that were right."""
        return self.right / (self.right + self.false) if self.right + self.false else 1.0

    @property
    def goal(self) -> float:
        """What both are to be at least."""
        return SURE if VALUES[self.entity][1] else OTHER

    @property
    def is_met(self) -> bool:
        """Whether both are."""
        return min(self.recall, self.precision) >= self.goal


@dataclass(frozen=True, slots=True)
class Verdict:
    """Scores by entity; samples that were missed, with what they were taken for; findings that were false."""

    scores: Sequence[Score]
    missed: Sequence[tuple[Sample, str]]
    false: Sequence[tuple[Sample, Finding]]

    @property
    def alarms(self) -> Mapping[str, Counter[str]]:
        """Of each kind of near miss, and of values taken for something else, what they were taken for."""
        kinds: dict[str, Counter[str]] = defaultdict(Counter)
        for sample, finding in self.false:
            kinds[sample.entity or sample.kind][finding.entity] += 1
        return kinds

    def to_json(self) -> dict[str, object]:
        """As numbers."""
        rows = [
            {
                "entity": score.entity, "values": score.values, "found": score.found, "recall": round(score.recall, 4),
                "misnamed": score.misnamed,
                "right": score.right, "false": score.false, "precision": round(score.precision, 4), "goal": score.goal,
                "met": score.is_met,
            }
            for score in self.scores
        ]  # fmt: skip
        return {"entities": rows, "false_alarms": {kind: dict(counts) for kind, counts in self.alarms.items()}}


def judge(samples: Sequence[Sample], findings: Mapping[int, Sequence[Finding]], entities: frozenset[str]) -> Verdict:
    """Hold findings, by the sample's id, against the samples; `entities` are those that the scanner knows at all.

    A value is found where a finding that names the same thing overlaps it. A finding is right where it overlaps a value
    that it may name.
    """
    values, found, misnamed, right, wrong = (Counter[str]() for _ in range(5))
    missed: list[tuple[Sample, str]] = []
    false: list[tuple[Sample, Finding]] = []
    for sample in samples:
        here = [finding for finding in findings.get(sample.id, ()) if finding.entity in VALUES]
        if sample.entity in entities:
            values[sample.entity] += 1
            told = {finding.entity for finding in here if _overlap(sample, finding)}
            if told & _names(sample.entity):
                found[sample.entity] += 1
            else:
                misnamed[sample.entity] += bool(told)
                missed.append((sample, ", ".join(sorted(told))))
        for finding in here:
            if _is_right(sample, finding):
                right[finding.entity] += 1
            else:
                wrong[finding.entity] += 1
                false.append((sample, finding))
    known = [entity for entity in VALUES if entity in entities]
    counts = (values, found, misnamed, right, wrong)
    scores = [Score(name, *(count[name] for count in counts)) for name in known]
    return Verdict(scores, missed, false)


def _names(entity: str) -> frozenset[str]:
    return _LIKE.get(entity, frozenset()) | {entity}


def _overlap(sample: Sample, finding: Finding) -> bool:
    return finding.start < sample.end and sample.start < finding.end


def _is_right(sample: Sample, finding: Finding) -> bool:
    for entity, start, end in sample.also:
        if finding.entity in _names(entity) and finding.start < end and start < finding.end:
            return True
    if not sample.entity or not _overlap(sample, finding):
        return False
    if finding.entity == "generic_secret":  # says less than could be said of a credential, and nothing false
        return sample.entity in CREDENTIALS
    return finding.entity in _names(sample.entity)


def table(verdict: Verdict) -> Iterator[str]:
    """Lines: each entity with its goal, then the false alarms."""
    yield (f"  {'entity':<22}{'values':>7}{'recall':>9}{'misnamed':>10}{'false':>7}{'precision':>11}{'goal':>6}")
    for score in verdict.scores:
        mark = "met" if score.is_met else "MISSED"
        yield (
            f"  {score.entity:<22}{score.values:>7}{score.recall:>9.4f}{score.misnamed:>10}{score.false:>7}"
            f"{score.precision:>11.4f}{score.goal:>6} {mark}"
        )
    met = sum(score.is_met for score in verdict.scores)
    yield f"  goals met: {met} of {len(verdict.scores)}"
    if verdict.alarms:
        yield "  false alarms, by what they were taken for"
    for kind, counts in sorted(verdict.alarms.items(), key=lambda item: -item[1].total()):
        yield f"    {kind:<42} " + ", ".join(f"{entity} {count}" for entity, count in counts.most_common(4))


def examples(verdict: Verdict, each: int) -> Iterator[str]:
    """Lines: what was missed and what was found for nothing, most frequent first, with so many examples of each.

    The values are made up: they may be shown.
    """
    classes: dict[str, list[str]] = defaultdict(list)
    for sample, told in verdict.missed:
        where = sample.text[max(0, sample.start - 40) : sample.end + 12]
        classes[f"missed {sample.entity}, taken for {told or 'nothing'}"].append(where)
    for sample, finding in verdict.false:
        said, where = sample.text[finding.start : finding.end], sample.text[max(0, sample.start - 40) : sample.end + 12]
        classes[f"false {finding.entity} in {sample.entity or sample.kind}"].append(f"{said[:60]!r} of {where}")
    for name, found in sorted(classes.items(), key=lambda item: -len(item[1])) if each else ():
        yield f"  {name}: {len(found)}"
        yield from (f"      {text[:160]!r}" for text in found[:each])
