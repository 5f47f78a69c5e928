"""Detectors that users write, in YAML: read strictly, every fault at once with file and line, and tried before use.

    detectors:
      - entity: employee_number
        pattern: 'E-[0-9]{6}'
        tests:
          found: ['my number is E-123456']

Each carries its own tests: texts in which it must find something, at least one, and texts in which it must not. One
that fails is a fault like any other, so that a detector which does not do what its author thinks is never in use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from authz_service.dlp.detectors import EVERY, context, validators
from authz_service.dlp.detectors.context import Context
from authz_service.dlp.detectors.detector import DIGITS, LETTERS_AND_DIGITS, Detector, stands_alone
from authz_service.dlp.pattern_check import MAX_PATTERN, complaints_about, first_match, program_size
from authz_service.dlp.scan import Scanner
from authz_service.dlp.width import width_of
from service_kit import strict_yaml
from service_kit.faults import Fault, Faults
from service_kit.strict_yaml import Section

MAX_DETECTORS = 200
MAX_HINTS = 50_000  # instructions of all hints together: they are searched for as one
MAX_CHECKED = 128  # bytes of a match that a validator is given: its time grows faster than they do
MAX_WORDS = 50
MAX_WORD = 60  # bytes, less than the window in which words are looked for
MAX_TESTS = 100  # of either kind
MAX_TEST = 10_000  # characters
_ETHEREUM = 40  # hex digits of an address
_HEX = frozenset(b"0123456789abcdefABCDEF")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def _is_eip_55(digits: bytes) -> bool:
    """Whether the case of the hex digits is their checksum; all in one case carries none."""
    return (
        len(digits) == _ETHEREUM
        and _HEX.issuperset(digits)
        and digits not in {digits.lower(), digits.upper()}
        and validators.with_eip_55(digits.lower()) == digits
    )


# What each is given of a match: its digits, its letters and digits, or all of it.
VALIDATORS: Mapping[str, Callable[[bytes], bool]] = {
    "aba": lambda match: validators.aba(validators.digits_of(match)),
    "base58check": lambda match: validators.base58check(match) is not None,
    "eip_55": lambda match: _is_eip_55(match.removeprefix(b"0x")),
    "iso_7064_mod_11_10": lambda match: validators.iso_7064_mod_11_10(validators.digits_of(match)),
    "luhn": lambda match: validators.luhn(validators.digits_of(match)),
    "mod_97": lambda match: validators.mod_97(bytes(byte for byte in match if byte in LETTERS_AND_DIGITS)),
    "npi": lambda match: validators.npi(validators.digits_of(match)),
    "segwit": validators.segwit,
}
_NEIGHBOURS = {"letters_and_digits": LETTERS_AND_DIGITS, "digits": DIGITS, "none": frozenset[int]()}


@dataclass(frozen=True, slots=True)
class Judge:
    """Accepts a candidate with a fixed confidence where nothing speaks against it."""

    confidence: float
    neighbours: frozenset[int]  # none of these may stand beside it
    validator: str = ""
    words: Context | None = None

    def __call__(self, text: bytes, start: int, end: int) -> float:
        """Judge as `Detector.accepts` says."""
        return 0.0 if self.objection(text, start, end) else self.confidence

    def objection(self, text: bytes, start: int, end: int) -> str:
        """What speaks against a candidate, or nothing."""
        if not stands_alone(text, start, end, self.neighbours):
            return "it does not stand alone"
        if self.validator and not VALIDATORS[self.validator](text[start:end]):
            return f"the validator {self.validator} refuses it"
        if self.words and not self.words.near(text, start, end):
            return "no word of its context is near"
        return ""


@dataclass(frozen=True, slots=True)
class InlineTest:
    """A text, and whether something is to be found in it. `place` is how messages call it."""

    text: str
    finds: bool
    place: str
    line: int


@dataclass(frozen=True, slots=True)
class Custom:
    """A detector of a user's, with its tests. `source` is its file."""

    detector: Detector
    judge: Judge
    tests: tuple[InlineTest, ...]
    source: str

    def failures(self) -> list[Fault]:
        """The tests that fail, each with what is the matter; the texts themselves are not told."""
        scanner = Scanner([self.detector])
        failed: list[Fault] = []
        for test in self.tests:
            text = test.text.encode()
            if bool(scanner.scan(text)) != test.finds:
                trouble = self._why_not(text) if test.finds else "something is found in it, and nothing should be"
                failed.append(Fault(self.source, test.line, f"{test.place} fails: {trouble}"))
        return failed

    def _why_not(self, text: bytes) -> str:
        match = first_match(self.detector.pattern, text)
        if match is None:
            return "the pattern matches nowhere in it"
        objection = self.judge.objection(text, *match)
        return f"the pattern matches, but {objection or 'the hint does not'}"


def load(paths: Sequence[Path]) -> tuple[Detector, ...]:
    """Read files of detectors and try each detector, or raise `ConfigurationError` with every fault."""
    faults = Faults()
    found = read(paths, faults)
    for each in found:
        faults.found += each.failures()
    faults.raise_if_any()
    return tuple(each.detector for each in found)


def read(paths: Iterable[Path], faults: Faults) -> tuple[Custom, ...]:
    """Read files of detectors; those that have no fault are returned."""
    names = {detector.name: "a built-in one" for detector in EVERY}
    found: list[Custom] = []
    instructions = 0
    for section in _sections(paths, faults):
        before = len(faults.found)
        with section:
            each = _read_detector(section, names)
        if len(faults.found) > before:
            continue
        instructions += program_size(each.detector.hint)
        if instructions > MAX_HINTS:
            section.fault("hint", "is too large beside those of the detectors before it: give shorter ones")
            break
        found.append(each)
    return tuple(found)


def _sections(paths: Iterable[Path], faults: Faults) -> list[Section]:
    sections: list[Section] = []
    for path in paths:
        with strict_yaml.read(path, faults) as root:
            sections += root.sections("detectors", required=True)
    for section in sections[MAX_DETECTORS : MAX_DETECTORS + 1]:
        faults.add(section.source, section.line, f"{section.path} is one too many: there may be {MAX_DETECTORS}")
    return sections[:MAX_DETECTORS]


def _read_detector(section: Section, names: dict[str, str]) -> Custom:
    entity = _read_name(section, "entity")
    name = _read_name(section, "name", entity)
    key = "name" if section.has("name") else "entity"
    if name in names:
        section.fault(key, f"is {name}, the name of another detector ({names[name]}): give it a name of its own")
    names.setdefault(name, f"{section.source}:{section.line}")
    pattern = _read_pattern(section, "pattern")
    words = _read_words(section)
    validator = _read_validator(section, pattern)
    judge = Judge(
        confidence=section.decimal("confidence", minimum=0.01, maximum=1, default=1),
        neighbours=_NEIGHBOURS[section.choice("stands_alone", _NEIGHBOURS, "letters_and_digits")],
        validator=validator,
        words=words,
    )
    tests = _read_tests(section)
    example = next((test.text.encode() for test in tests if test.finds), b"")
    detector = Detector(
        entity,
        name,
        hint=_read_pattern(section, "hint", pattern),
        pattern=pattern,
        accepts=judge,
        before=context.BEFORE if words else 1,
        after=context.AFTER if words else 1,
        source=section.text("source", section.source),
        example=lambda: example,
    )
    return Custom(detector, judge, tests, section.source)


def _read_name(section: Section, key: str, default: str | None = None) -> str:
    name = section.text(key, default)
    if section.has(key) and name and not _NAME.fullmatch(name):
        section.fault(key, "must be lower-case letters, digits and underscores, a letter first, at most 64 in all")
    return name


def _read_pattern(section: Section, key: str, default: str | None = None) -> str:
    pattern = section.text(key, default)
    if section.has(key) and pattern:
        for complaint in complaints_about(pattern):
            section.fault(key, complaint)
    return pattern


def _read_validator(section: Section, pattern: str) -> str:
    if not section.has("validator"):
        return ""
    validator = section.choice("validator", VALIDATORS)
    if len(pattern) <= MAX_PATTERN and (width_of(pattern) or 0) > MAX_CHECKED:
        section.fault("validator", f"is for matches of at most {MAX_CHECKED} bytes, and the pattern's can be longer")
    return validator


def _read_words(section: Section) -> Context | None:
    words = section.texts("context")
    if len(words) > MAX_WORDS:
        section.fault("context", f"has more than {MAX_WORDS} words")
        return None
    lines = section.lines_of("context")
    for index, word in enumerate(words):
        if len(word.encode()) > MAX_WORD or not any(map(str.isalnum, word)):
            text = f"context[{index}] must have a letter or a digit, and at most {MAX_WORD} bytes"
            section.faults.add(section.source, lines[index], f"{section.path}.{text}")
    return Context(words) if words else None


def _read_tests(section: Section) -> tuple[InlineTest, ...]:
    found: list[InlineTest] = []
    with section.section("tests", required=False) as tests:
        for key, finds in (("found", True), ("not_found", False)):
            texts = tests.texts(key, required=finds)
            if len(texts) > MAX_TESTS or any(len(text) > MAX_TEST for text in texts):
                tests.fault(key, f"may have {MAX_TESTS} texts, each of {MAX_TEST} characters at most")
            found += [
                InlineTest(text, finds, f"{tests.path}.{key}[{index}]", line)
                for index, (text, line) in enumerate(zip(texts, tests.lines_of(key), strict=False))
            ]
    return tuple(found)
