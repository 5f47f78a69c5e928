"""Detectors that users write."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors import ALL, context, custom
from authz_service.dlp.detectors.detector import Detector
from authz_service.dlp.scan import Scanner
from service_kit.faults import ConfigurationError, Faults

WHOLE = """\
detectors:
  - entity: employee_number
    name: employee_number_de
    pattern: 'E-[0-9]{6}'
    hint: 'E-'
    validator: luhn
    stands_alone: digits
    context: [employee, staff]
    confidence: 0.9
    source: 'our HR handbook'
    tests:
      found: ['employee E-123455', 'E-123455 of staff']
      not_found: ['E-12345', 'employee E-123456', 'E-123455']
"""
LEAST = """\
detectors:
  - entity: part
    pattern: 'P[0-9]{3}'
    tests: {found: [a P123]}
"""


def written(folder: Path, text: str, name: str = "d.yaml") -> Path:
    """A file of detectors."""
    path = folder / name
    path.write_text(text)
    return path


def loaded(folder: Path, text: str) -> Detector:
    """The one detector of a file."""
    (detector,) = custom.load([written(folder, text)])
    return detector


def faults(folder: Path, text: str) -> list[str]:
    """What is wrong with a file."""
    path = written(folder, text)
    try:
        custom.load([path])
    except ConfigurationError as error:
        return [f"{fault.line}: {fault.text}" for fault in error.faults if fault.source == str(path)]
    return []


def with_line(line: str) -> str:
    """The least file with a further line."""
    return LEAST + f"    {line}\n"


def test_a_detector_is_read_with_all_that_it_says(tmp_path: Path) -> None:
    """And judges so."""
    detector = loaded(tmp_path, WHOLE)
    assert (detector.entity, detector.name) == ("employee_number", "employee_number_de")
    assert (detector.hint, detector.pattern) == ("E-", "E-[0-9]{6}")
    assert (detector.before, detector.after) == (context.BEFORE, context.AFTER)
    assert detector.source == "our HR handbook"
    text = b"employee E-123455"
    assert detector.accepts(text, 9, 17) == 0.9
    assert detector.example is not None
    assert detector.example() == text


def test_most_can_be_left_out(tmp_path: Path) -> None:
    """The pattern is its own hint, and the match stands alone."""
    detector = loaded(tmp_path, LEAST)
    assert (detector.name, detector.hint, detector.source) == ("part", detector.pattern, str(tmp_path / "d.yaml"))
    assert (detector.before, detector.after) == (1, 1)
    assert detector.accepts(b"P123", 0, 4) == 1.0
    assert detector.accepts(b"P123b", 0, 4) == 0.0


@pytest.mark.parametrize(
    ("alone", "found"),
    [
        ("digits", [b"P123", b"aP123", b"P123a", b"P123-"]),
        ("letters_and_digits", [b"P123", b"P123-"]),
        ("none", [b"P123", b"aP123", b"P123a", b"1P123", b"P1234", b"P123-"]),
    ],
)
def test_what_may_stand_beside_a_match_is_the_users_choice(tmp_path: Path, alone: str, found: list[bytes]) -> None:
    """Letters and digits may not, unless that is said."""
    scanner = Scanner([loaded(tmp_path, with_line(f"stands_alone: {alone}"))])
    texts = [b"P123", b"aP123", b"P123a", b"1P123", b"P1234", b"P123-"]
    assert [text for text in texts if scanner.scan(text)] == found


VALID = {
    "aba": b"021000021",
    "base58check": b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "eip_55": b"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "iso_7064_mod_11_10": b"5480",
    "luhn": b"4111-1111 1111-1111",
    "mod_97": b"GB82 WEST-1234 5698 7654 32",
    "npi": b"NPI 1234567893"[4:],
    "segwit": b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
}


def test_every_validator_has_an_example_here() -> None:
    """So that the tests below miss none."""
    assert VALID.keys() == custom.VALIDATORS.keys()


@pytest.mark.parametrize("name", custom.VALIDATORS)
def test_a_validator_accepts_what_is_right_and_nothing_that_is_near_it(name: str) -> None:
    """Separators and what is around the number do not matter to it."""
    value = VALID[name]
    assert custom.VALIDATORS[name](value)
    last = max(index for index, byte in enumerate(value) if chr(byte).isdigit())
    for digit in set(b"023456789") - {value[last]}:
        assert not custom.VALIDATORS[name](value[:last] + bytes([digit]) + value[last + 1 :])


@pytest.mark.parametrize("name", custom.VALIDATORS)
@given(text=st.binary(max_size=custom.MAX_CHECKED))
def test_no_bytes_make_a_validator_raise(name: str, text: bytes) -> None:
    """It is given whatever a pattern has matched."""
    assert custom.VALIDATORS[name](text) in {True, False}


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    """Of every detector in the file."""
    text = """\
detectors:
  - entity: Bad
    pattern: 'a+'
    hint: '(?=a)'
    patern: x
    validator: foo
    tests: {found: []}
  - pattern: 1
  - entity: c
    pattern: 'x'
    confidence: 1.5
    stands_alone: no
    context: [ok, '--', yes]
    tests:
      found: [x, 3]
"""
    assert [fault.split(" must be one of")[0] for fault in faults(tmp_path, text)] == [
        "2: detectors[0].entity must be lower-case letters, digits and underscores, a letter first, at most 64 in all",
        "3: detectors[0].pattern repeats without an end: write {0,64} for *, {1,64} for + and {3,64} for {3,}",
        "4: detectors[0].hint is refused by RE2: invalid perl operator: (?=",
        "5: unknown key 'patern' in detectors[0]; did you mean 'pattern'?",
        "6: detectors[0].validator",
        "7: detectors[0].tests.found must have at least one item",
        "8: detectors[1].entity is missing",
        "8: detectors[1].pattern must be text, but is a whole number (put it in quotes)",
        "8: detectors[1].tests.found is missing",
        "11: detectors[2].confidence must be from 0.01 to 1, but is 1.5",
        "12: detectors[2].stands_alone",
        "13: detectors[2].context[1] must have a letter or a digit, and at most 60 bytes",
        "13: detectors[2].context[2] must be text, but is true or false",
        "15: detectors[2].tests.found[1] must be text, but is a whole number",
    ]


def test_a_test_that_fails_is_a_fault_that_says_why(tmp_path: Path) -> None:
    """And shows nothing of the text."""
    text = WHOLE[: WHOLE.index("      found")] + (
        "      found:\n"
        "        - employee E-12345\n"
        "        - employee E-1234551\n"
        "        - employee E-123456\n"
        "        - the E-123455\n"
        "        - employee E-123455\n"
        "      not_found:\n"
        "        - employee E-123455\n"
    )
    assert faults(tmp_path, text) == [
        "13: detectors[0].tests.found[0] fails: the pattern matches nowhere in it",
        "14: detectors[0].tests.found[1] fails: the pattern matches, but it does not stand alone",
        "15: detectors[0].tests.found[2] fails: the pattern matches, but the validator luhn refuses it",
        "16: detectors[0].tests.found[3] fails: the pattern matches, but no word of its context is near",
        "19: detectors[0].tests.not_found[0] fails: something is found in it, and nothing should be",
    ]


def test_a_hint_that_does_not_match_where_the_pattern_does_is_found_out(tmp_path: Path) -> None:
    """Else the detector would find nothing, and nobody would be told."""
    assert faults(tmp_path, with_line("hint: 'Q'")) == [
        "4: detectors[0].tests.found[0] fails: the pattern matches, but the hint does not"
    ]


def test_names_are_unique_in_all_files_and_among_ours(tmp_path: Path) -> None:
    """A finding names its detector."""
    taken = ALL[0].name
    assert faults(tmp_path, with_line(f"name: {taken}")) == [
        f"5: detectors[0].name is {taken}, the name of another detector (a built-in one): give it a name of its own"
    ]
    first, second = written(tmp_path, LEAST, "a.yaml"), written(tmp_path, LEAST, "b.yaml")
    with pytest.raises(ConfigurationError) as refusal:
        custom.load([first, second])
    assert str(refusal.value) == (
        f"{second}:2: detectors[0].entity is part, the name of another detector ({first}:2): give it a name of its own"
    )
    second.write_text(LEAST + "    name: part_two\n")
    assert [detector.name for detector in custom.load([first, second])] == ["part", "part_two"]


def test_a_detector_of_a_users_may_find_an_entity_of_ours(tmp_path: Path) -> None:
    """In a form that ours do not know."""
    assert loaded(tmp_path, LEAST.replace("part", ALL[0].entity)).entity == ALL[0].entity


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("validator: luhn", "5: detectors[0].validator is for matches of at most 128 bytes, and the pattern's can be"),
        ("context: [" + "a, " * 51 + "]", "5: detectors[0].context has more than 50 words"),
        ("context: [" + "a" * 61 + "]", "5: detectors[0].context[0] must have a letter or a digit, and at most 60"),
    ],
)
def test_whatever_costs_time_has_a_bound(tmp_path: Path, line: str, fault: str) -> None:
    """And so has the number of words."""
    (found,) = faults(tmp_path, with_line(line).replace("[0-9]{3}", "[0-9]{3,128}"))
    assert found.startswith(fault)


def test_detectors_tests_and_hints_are_counted(tmp_path: Path) -> None:
    """Of all files together."""
    one = "  - {{entity: e{0}, pattern: 'P{0}[0-9]{{3}}', tests: {{found: [P{0}123]}}}}\n"
    many = "detectors:\n" + "".join(one.format(f"{index:03}") for index in range(custom.MAX_DETECTORS + 1))
    assert faults(tmp_path, many) == ["202: detectors[200] is one too many: there may be 200"]
    assert len(custom.load([written(tmp_path, "\n".join(many.splitlines()[:-1]))])) == custom.MAX_DETECTORS
    large = "  - {{entity: e{0}, pattern: 'P{0}[0-9]{{1,900}}', tests: {{found: [P{0}1]}}}}\n"
    (found,) = faults(tmp_path, "detectors:\n" + "".join(large.format(index) for index in range(60)))
    assert found.endswith("is too large beside those of the detectors before it: give shorter ones")
    tests = LEAST.replace("[a P123]", "[" + "P123, " * 101 + "]")
    assert faults(tmp_path, tests) == [
        "4: detectors[0].tests.found may have 100 texts, each of 10000 characters at most"
    ]


def test_as_many_hints_as_may_be_are_searched_for_as_one(tmp_path: Path) -> None:
    """RE2 has room for them."""
    large = "  - {{entity: e{0}, pattern: 'P{0}[0-9]{{1,900}}', tests: {{found: [P{0}1]}}}}\n"
    detectors = custom.load([written(tmp_path, "detectors:\n" + "".join(large.format(10 + n) for n in range(27)))])
    assert [span.detector.entity for span in Scanner([*ALL, *detectors]).scan(b"a P361 b")] == ["e36"]


@pytest.mark.parametrize("text", ["", "detectors: x", "detectors: []", "[1]", "detectors: [x]", "a: {{}}", "\x00"])
def test_a_file_without_detectors_is_a_fault(tmp_path: Path, text: str) -> None:
    """As is one that is not there."""
    assert faults(tmp_path, text) or not text.strip("\x00")
    with pytest.raises(ConfigurationError):
        custom.load([written(tmp_path, text)])
    with pytest.raises(ConfigurationError, match=r"absent\.yaml: cannot be read"):
        custom.load([tmp_path / "absent.yaml"])


def test_what_has_no_fault_is_read_beside_what_has(tmp_path: Path) -> None:
    """A command can still try it."""
    noted = Faults()
    text = LEAST + "  - {entity: bad, pattern: '(', tests: {found: [x]}}\n"
    assert [each.detector.name for each in custom.read([written(tmp_path, text)], noted)] == ["part"]
    assert len(noted.found) == 1


_KEYS = ("entity", "name", "pattern", "hint", "validator", "stands_alone", "context", "confidence", "source", "tests")
_VALUES = (
    "x", "a_b", "'P[0-9]{3}'", "'('", "'.*'", "'a{0,2}'", "P", "luhn", "none", "[]", "[x]", "['']", "[1, x]", "{}",
    "{found: [P123]}", "{found: [P12, x], not_found: [P123]}", "{found: x}", "1", "0.5", ".nan", "~", "''", "true",
    "é", "'\\n'", '"\\0"', "&a [*a]", "P" * 2000,
)  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_VALUES)), max_size=3))
def test_whatever_a_file_says_it_gives_detectors_or_faults(entries: list[dict[str, str]]) -> None:
    """Nothing else is raised, and a fault names the file."""
    lines = (", ".join(f"{key}: {value}" for key, value in entry.items()) for entry in entries)
    text = "detectors:\n" + "".join(f"  - {{{line}}}\n" for line in lines)
    with TemporaryDirectory() as folder:
        path, noted = written(Path(folder), text), Faults()
        found = custom.read([path], noted)
    assert {fault.source for fault in noted.found} <= {str(path)}
    assert noted.found or len(found) == len(entries)
    for each in found:
        failed = {failure.line for failure in each.failures()}
        assert failed <= {test.line for test in each.tests}
