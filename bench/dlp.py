"""`make bench-dlp`: how much of what is there is found, what else is, and how fast; beside others where installed.

The rivals are not in our environment: `make bench-dlp-rivals` puts them into one of their own, and each runs there as a
process that gets the same texts.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from authz_service.dlp.detectors import EVERY
from authz_service.dlp.json_lines import hits
from authz_service.dlp.scan import Scanner
from bench import dlp_blind, dlp_rivals, dlp_speed
from bench.dlp_accuracy import Finding, Verdict, examples, judge, table
from bench.dlp_corpus import EACH_NEAR_MISS, EACH_VALUE, VALUES, Sample, corpus
from bench.dlp_rivals import Rival

SEED = 20_261_126


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.dlp", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the texts (default: {SEED})")
    parser.add_argument(
        "--each", type=int, default=0, metavar="N", help="so many of each entity and kind, for a quick look"
    )
    parser.add_argument("--only", choices=("accuracy", "speed"), help="the other one takes time too")
    parser.add_argument("--without-rivals", action="store_true", help="leave the others out")
    parser.add_argument(
        "--show-misses", type=int, default=0, metavar="N", help="print so many of each; they are made up"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    rivals = [] if arguments.without_rivals else dlp_rivals.installed()
    figures: dict[str, Any] = {"seed": arguments.seed}
    if arguments.only != "speed":
        seed, each, show = arguments.seed, arguments.each, arguments.show_misses
        samples = corpus(seed, each or EACH_VALUE, each or EACH_NEAR_MISS)
        figures["accuracy"] = _accuracy("Accuracy", samples, rivals, show)
        samples = dlp_blind.corpus(seed, each or dlp_blind.EACH_VALUE, each or dlp_blind.EACH_NEAR_MISS)
        figures["blind_accuracy"] = _accuracy("\nAccuracy on texts written blind", samples, rivals, show)
    if arguments.only != "accuracy":
        figures["speed"] = dlp_speed.run(arguments.seed, rivals)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def _accuracy(title: str, samples: list[Sample], rivals: list[Rival], show: int) -> dict[str, Any]:
    values = sum(bool(sample.entity) for sample in samples)
    print(f"{title}: {values:,} values of {len(VALUES)} entities, {len(samples) - values:,} near misses\n")
    scanner = Scanner(EVERY)
    ours = judge(samples, {sample.id: _found(scanner, sample) for sample in samples}, frozenset(VALUES))
    for line in (*table(ours), *examples(ours, show)):
        print(line)
    figures = {"agent-gateway": ours.to_json()}
    theirs: dict[str, Verdict] = {}
    for rival in rivals:
        answer = dlp_rivals.ask(rival, [sample.text for sample in samples])
        verdict = judge(samples, dict(enumerate(answer.findings)), answer.entities)
        theirs[rival.name], figures[rival.name] = verdict, verdict.to_json()
        print(f"\n{rival.name} {answer.version}{f' ({answer.note})' if answer.note else ''}\n")
        for line in table(verdict):
            print(line)
    _compare(ours, theirs)
    return figures


def _found(scanner: Scanner, sample: Sample) -> list[Finding]:
    return [Finding(hit.span.detector.entity, hit.start, hit.end) for hit in hits(sample.text, scanner)]


def _compare(ours: Verdict, others: dict[str, Verdict]) -> None:
    """Side by side, what each knows: the means over the entities that a rival knows, ours over the same ones."""
    if not others:
        return
    print("\nMeans over the entities that the other knows        recall          precision")
    for name, verdict in others.items():
        known = {score.entity for score in verdict.scores}
        same = [score for score in ours.scores if score.entity in known]
        row = [
            (sum(s.recall for s in scores) / len(known), sum(s.precision for s in scores) / len(known))
            for scores in (verdict.scores, same)
        ]
        told = [f"{theirs:.3f} ours {mine:.3f}" for theirs, mine in zip(*row, strict=True)]
        print(f"  {name:<26} {len(known):>3} entities   {'   '.join(told)}")


if __name__ == "__main__":
    main()
