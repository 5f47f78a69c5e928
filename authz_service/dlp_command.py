"""`python -m authz_service dlp scan|redact`: what texts hold, and texts without it. `rules` and `test` stand beside.

Findings go to standard output, and never say the value; faults and progress go to standard error. Exit codes of `scan`:
0 nothing was found; 3 something was; 2 an argument, a file or a line could not be used (the others still were).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from authz_service import dlp_rules_command
from authz_service.dlp import long_texts
from authz_service.dlp.actions import Action, Direction
from authz_service.dlp.codings import CodingError
from authz_service.dlp.detectors import ALL, EVERY, custom
from authz_service.dlp.found import Found, Treatment
from authz_service.dlp.json_lines import BrokenLine, Record, hits, records
from authz_service.dlp.long_texts import Part, Place
from authz_service.dlp.redactions import Redactions
from authz_service.dlp.scan import Scanner, Span
from authz_service.dlp.two_readings import open_redactor
from authz_service.progress import Progress
from authz_service.settings.keys import read_key
from authz_service.terminal import FAULT, OK, show_faults
from authz_service.text_files import Source, UnreadableError, UnwritableError, opened, target, total_size
from service_kit.faults import ConfigurationError
from service_kit.secret_file import SecretFileError

_SLICE = 256 * 1024  # bytes that are redacted at once
_ACTIONS = [each.value for each in (Action.REPLACE, Action.MASK, Action.HASH, Action.REMOVE)]
FOUND = 3
"""Something was found: not 1, which is what a program that breaks ends with."""


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the commands."""
    dlp = commands.add_parser("dlp", help="find secrets and personal data in texts, or take them out")
    tools = dlp.add_subparsers(dest="dlp", required=True, metavar="COMMAND")
    files = argparse.ArgumentParser(add_help=False)
    files.add_argument("files", nargs="*", metavar="FILE", help="- or none is standard input")
    files.add_argument(
        "--all", action="store_true", help="what the gateway tells of and lets pass too, such as e-mail addresses"
    )
    files.add_argument(
        "--detectors", type=Path, action="append", default=[], metavar="FILE", help="detectors of your own too (YAML)"
    )

    scan = tools.add_parser("scan", parents=[files], help="tell what texts hold: FILE:LINE:COLUMN entity detector")
    shape = scan.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="answer in JSON")
    shape.add_argument(
        "--jsonl",
        action="store_true",
        help='read lines {"id", "text"}, answer with lines {"id", "findings"}; implies --all',
    )
    scan.add_argument(
        "--minimum-confidence", type=_share, default=0.0, metavar="X", help="tell only what is as sure: 0 to 1"
    )
    scan.set_defaults(run=run_scan)

    redaction = tools.add_parser("redact", parents=[files], help="write texts with other things in their places")
    redaction.add_argument(
        "--content-type", default="", metavar="TYPE", help="as what texts are read; JSON is known without it"
    )
    redaction.add_argument("--in-place", action="store_true", help="change the files themselves")
    redaction.add_argument(
        "--action", choices=_ACTIONS, default=Action.REPLACE.value, help="what stands in the place of a value"
    )
    redaction.add_argument(
        "--hash-key-file", type=Path, metavar="FILE", help="32 bytes in base64, which `--action hash` needs"
    )
    redaction.set_defaults(run=run_redact)
    dlp_rules_command.add_parsers(tools)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share


def run_scan(arguments: argparse.Namespace) -> int:
    """Scan; return the exit code."""
    try:
        # Whoever reads lines can tell one entity from another; an exit code cannot.
        scanner = _scanner(arguments.detectors, every=arguments.all or arguments.jsonl)
    except ConfigurationError as error:
        return show_faults(error, as_json=arguments.json)
    with Progress(total_size(arguments.files)) as progress:
        scanning = _Scanning(scanner, arguments.minimum_confidence, progress)
        scan = scanning.records if arguments.jsonl else scanning.objects if arguments.json else scanning.lines
        if arguments.json:
            print('{"findings": [', end="")
        for name in arguments.files or ["-"]:
            try:
                with opened(name) as source:
                    scan(name, source)
            except UnreadableError as error:
                scanning.fault(f"{name}: {error}")
        if arguments.json:
            print("\n]}" if scanning.found else "]}")
    return FAULT if scanning.faults else FOUND if scanning.found else OK


@dataclass(slots=True)
class _Scanning:
    """One run of `scan`: how it goes on with each file, and what has come of it so far."""

    scanner: Scanner
    minimum: float
    progress: Progress
    found: int = 0
    faults: int = 0

    def fault(self, text: str) -> None:
        self.faults += 1
        self.progress.clear()
        print(text, file=sys.stderr)

    def lines(self, name: str, source: Source) -> None:
        for place, span in self._places(source):
            detector = span.detector
            self.progress.clear()
            print(f"{name}:{place.line}:{place.column} {detector.entity} {detector.name} {span.confidence:.2f}")

    def objects(self, name: str, source: Source) -> None:
        for place, span in self._places(source):
            told = {"file": name, "line": place.line, "column": place.column, **_told(span)}
            self.progress.clear()
            print(f"{',' if self.found > 1 else ''}\n  {json.dumps(told)}", end="")

    def _places(self, source: Source) -> Iterator[tuple[Place, Span]]:
        place = Place()
        for part in self._parts(source):
            position = 0
            for span in part.spans:
                if span.confidence < self.minimum:
                    continue
                place.pass_over(part.text[position : span.start])
                position = span.start
                self.found += 1
                yield place, span
            place.pass_over(part.text[position:])

    def _parts(self, source: Source) -> Iterator[Part]:
        for part in long_texts.parts(source.read, self.scanner):
            yield part
            self.progress.add(len(part.text))

    def records(self, name: str, source: Source) -> None:
        def read_line(limit: int) -> bytes:
            line = source.readline(limit)
            self.progress.add(len(line))
            return line

        for record in records(read_line):
            match record:
                case BrokenLine(line, fault):
                    self.fault(f"{name}:{line}: {fault}")
                case Record():
                    findings = [
                        {"start": hit.start, "end": hit.end, **_told(hit.span)}
                        for hit in hits(record.text, self.scanner)
                        if hit.span.confidence >= self.minimum
                    ]
                    self.found += len(findings)
                    print(json.dumps({"id": record.id, "findings": findings}))


def _scanner(files: Sequence[Path], *, every: bool) -> Scanner:
    return Scanner([*(EVERY if every else ALL), *custom.load(files)])


def _told(span: Span) -> dict[str, str | float]:
    return {
        "entity": span.detector.entity,
        "detector": span.detector.name,
        "confidence": round(float(span.confidence), 3),
    }


def _treatment(action: Action, key_file: Path | None) -> Treatment:
    """Return what puts other things in the places of values; raises `SecretFileError`."""
    redactions = Redactions(read_key(key_file) if key_file else b"")

    def treat(found: Found) -> bytes:
        return redactions.write(action, found.detector.entity, found.value, None, Direction.REQUEST)

    return treat


def run_redact(arguments: argparse.Namespace) -> int:
    """Redact; return the exit code: 0 or 2."""
    if arguments.in_place and (not arguments.files or "-" in arguments.files):
        print("--in-place: needs files", file=sys.stderr)
        return FAULT
    action = Action(arguments.action)
    if (action is Action.HASH) is not (arguments.hash_key_file is not None):
        needs = (
            "--action hash: needs --hash-key-file" if action is Action.HASH else "--hash-key-file: is for --action hash"
        )
        print(needs, file=sys.stderr)
        return FAULT
    try:
        treat = _treatment(action, arguments.hash_key_file)
        scanner = _scanner(arguments.detectors, every=arguments.all)
    except SecretFileError as error:
        print(f"--hash-key-file: {error}", file=sys.stderr)
        return FAULT
    except ConfigurationError as error:
        return show_faults(error, as_json=False)
    faults = 0
    with Progress(total_size(arguments.files)) as progress:
        for name in arguments.files or ["-"]:
            try:
                with opened(name) as source, target(name, in_place=arguments.in_place) as write:
                    redactor = open_redactor(arguments.content_type, scanner, treat, numbers="string")
                    while data := source.read(_SLICE):
                        write(redactor.feed(data))
                        progress.add(len(data))
                    write(redactor.finish())
            except (UnreadableError, UnwritableError, CodingError) as error:
                faults += 1
                progress.clear()
                print(f"{name}: {error}", file=sys.stderr)
    return FAULT if faults else OK
