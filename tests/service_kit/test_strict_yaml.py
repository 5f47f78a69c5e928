"""YAML read strictly: each fault with file and line, all at once, whatever the bytes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service_kit import strict_yaml
from service_kit.faults import Faults
from service_kit.strict_yaml import MAX_DIGITS, Section
from service_kit.yaml_tree import MAX_BYTES, MAX_DEPTH, MAX_NODES

Read = Callable[[Section], object]

TOO_LARGE = f"f.yaml: is nested deeper than {MAX_DEPTH} levels or has more than {MAX_NODES} values"
NESTING = ("[", "{", "{a: ", "[a: ", "- ", "? ", "a: [", "&a [", "[{")


def read(text: str | bytes, *readers: Read) -> tuple[list[object], list[str]]:
    """What the readers return, and the faults, sorted as an operator sees them."""
    faults = Faults()
    data = text.encode() if isinstance(text, str) else text
    with strict_yaml.parse(data, "f.yaml", faults) as root:
        values = [reader(root) for reader in readers]
    assert faults.warnings == []
    return values, [str(fault) for fault in sorted(faults.found)]


def leniently(text: str, reader: Read) -> tuple[object, list[str], list[str]]:
    """What a reader returns of a text that is read leniently, the faults and the warnings."""
    faults = Faults()
    with strict_yaml.parse(text.encode(), "f.yaml", faults, lenient=True) as root:
        value = reader(root)
    return value, [str(fault) for fault in sorted(faults.found)], [str(warning) for warning in faults.warnings]


def value(text: str, reader: Read) -> object:
    """What one reader returns of a text without faults."""
    (found,), faults = read(text, reader)
    assert faults == []
    return found


def fault(text: str | bytes, *readers: Read) -> str:
    """The only fault of a text."""
    _, (found,) = read(text, *readers)
    return found


def ask_everything(section: Section, depth: int = 0) -> None:
    """Call each reader on each key, whatever its value, and on one that is not there."""
    for key in [*section.entries, "absent"]:
        section.has(key)
        section.text(key, "x")
        section.text(key)
        section.raw_text(key)
        section.choice(key, ("red", "blue"))
        section.integer(key, minimum=0, maximum=9)
        section.decimal(key, minimum=0, maximum=9)
        section.flag(key)
        section.texts(key, required=True)
        section.lines_of(key)
        section.fault(key, "is looked at")
        if depth < 3:
            with section.section(key) as inner:
                ask_everything(inner, depth + 1)
            for item in section.sections(key, required=True):
                with item:
                    ask_everything(item, depth + 1)


# Values


def test_text_is_read_as_it_stands() -> None:
    """Quoted or not."""
    assert value("a: some words", lambda root: root.text("a")) == "some words"
    assert value("a: '007'", lambda root: root.text("a")) == "007"


def test_an_absent_or_empty_key_reads_as_its_default() -> None:
    """`a:` with nothing behind it counts as absent."""
    for text in ("b: 1", "a:\nb: 1", "a: ~\nb: 1"):
        assert value(text, lambda root: (root.integer("b", minimum=0, maximum=9), root.text("a", "x"))[1]) == "x"
    found, faults = read(
        "b:",
        lambda root: root.has("b"),
        lambda root: root.raw_text("b", "x"),
        lambda root: root.integer("b", minimum=0, maximum=9, default=5),
        lambda root: root.decimal("b", minimum=0, maximum=1, default=0.5),
        lambda root: root.choice("b", ("red",), "blue"),
        lambda root: root.texts("b"),
        lambda root: root.sections("b"),
        lambda root: root.section("b", required=False).entries,
    )
    assert (found, faults) == ([False, "x", 5, 0.5, "blue", (), (), {}], [])


@pytest.mark.parametrize("raw", ["yes", "no", "on", "007", "1.10", "0x1F", "1e3", "2024-01-01", "12:30:45", "=", "-"])
def test_raw_text_keeps_what_stands_in_the_file(raw: str) -> None:
    """A version, a code or a country is not a number and not a truth."""
    assert value(f"a: {raw if raw != '-' else repr(raw)}", lambda root: root.raw_text("a")) == raw


def test_raw_text_may_be_empty_in_quotes() -> None:
    """The empty value of a descriptor, for one."""
    assert value("a: ''", lambda root: root.raw_text("a")) == ""


@pytest.mark.parametrize(
    ("raw", "number"), [("0", 0), ("+5", 5), ("1_000", 1000), ("0x1F", 31), ("0b11", 3), ("-7", -7)]
)
def test_a_whole_number_is_read_in_the_notations_of_yaml(raw: str, number: int) -> None:
    """Except those that people read differently: octal and sexagesimal."""
    assert value(f"a: {raw}", lambda root: root.integer("a", minimum=-10, maximum=1000)) == number


@pytest.mark.parametrize(
    ("raw", "number"),
    [("0", 0.0), ("1", 1.0), ("0.9", 0.9), (".5", 0.5), ("1.", 1.0), ("-0.25", -0.25), ("+1.50", 1.5)],
)
def test_a_number_with_a_fraction_is_read_as_it_is_written(raw: str, number: float) -> None:
    """One without a fraction too."""
    assert value(f"a: {raw}", lambda root: root.decimal("a", minimum=-1, maximum=2)) == number


def test_the_lines_of_a_list_are_those_of_its_items() -> None:
    """Whatever they are; what is no list has none."""
    assert value("a:\n- x\n\n- [y,\n  z]\n- {}", lambda root: (root.plain(), root.lines_of("a"))[1]) == (2, 4, 6)
    assert value("a: [x, y]", lambda root: (root.plain(), root.lines_of("a"))[1]) == (1, 1)
    assert value("a: x", lambda root: (root.plain(), root.lines_of("a"), root.lines_of("b"))[1:]) == ((), ())


def test_a_choice_takes_an_unquoted_word_that_yaml_holds_for_a_truth() -> None:
    """`on` and `off` are words of configuration."""
    assert value("a: off", lambda root: root.choice("a", ("on", "off"))) == "off"


@pytest.mark.parametrize("raw", ["true", "True", "TRUE", "yes", "Yes", "on", "ON"])
def test_a_flag_is_set_in_each_of_the_ways_of_yaml(raw: str) -> None:
    """That of YAML 1.1, which files have been written for."""
    assert value(f"a: {raw}", lambda root: root.flag("a")) is True


@pytest.mark.parametrize("text", ["a: false", "a: no", "a: OFF", "a:", "a: ~", "{}"])
def test_a_flag_that_is_not_set_is_false(text: str) -> None:
    """Absent ones too."""
    assert value(text, lambda root: root.flag("a")) is False


def test_lists_and_sections_are_read_in_order() -> None:
    """Texts, mappings, and mappings in lists."""
    assert value("a: [x, 'y', z]", lambda root: root.texts("a")) == ("x", "y", "z")
    assert value("a: {b: x}", lambda root: root.section("a").text("b")) == "x"
    assert value("a: [{b: x}, {b: y}]", lambda root: [item.text("b") for item in root.sections("a")]) == ["x", "y"]


def test_an_alias_reads_as_what_it_stands_for() -> None:
    """An anchor spares a repetition."""
    assert value("a: &x {b: t}\nc: *x", lambda root: [root.section(key).text("b") for key in ("a", "c")]) == ["t", "t"]


def test_a_document_of_free_shape_is_read_as_plain_values() -> None:
    """A date stays the text that it is."""
    text = "a: {b: [1, 1.5, yes, ~, x, '7']}\nc: 2024-01-01\nd: 2024-01-01T12:00:00Z"
    expected = {"a": {"b": [1, 1.5, True, None, "x", "7"]}, "c": "2024-01-01", "d": "2024-01-01T12:00:00Z"}
    assert value(text, lambda root: root.plain()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:\n  - b: 1\n    b: 2", "f.yaml:3: repeated key 'b' in a[0]"),
        ("a: [=]", "f.yaml:1: a[0] is not a value: '='"),
        ("a: {b: 2024-13-45}", "f.yaml:1: a.b is not a value: '2024-13-45'"),
        ("a: .inf", "f.yaml:1: a is a number that JSON cannot carry"),
        ("a: .nan", "f.yaml:1: a is a number that JSON cannot carry"),
        ("a: 0x" + "F" * 5000, "f.yaml:1: a is a number that JSON cannot carry"),
    ],
)
def test_a_document_of_free_shape_has_faults_too(text: str, expected: str) -> None:
    """What it holds goes to a policy as JSON."""
    assert fault(text, lambda root: root.plain()) == expected


def test_a_byte_order_mark_is_passed_over() -> None:
    """Some editors write one."""
    assert read(b"\xef\xbb\xbfa: x", lambda root: root.text("a")) == (["x"], [])


# Faults of values


def a_text(root: Section) -> object:
    """Read a text."""
    return root.text("a")


def a_number(root: Section) -> object:
    """Read a digit."""
    return root.integer("a", minimum=0, maximum=9)


def a_decimal(root: Section) -> object:
    """Read a share of one."""
    return root.decimal("a", minimum=0, maximum=1)


def a_colour(root: Section) -> object:
    """Read one of two words."""
    return root.choice("a", ("red", "blue"))


def the_documents(root: Section) -> object:
    """Read a list of mappings of free shape."""
    return [item.plain() for item in root.sections("a")]


@pytest.mark.parametrize(
    ("text", "reader", "expected"),
    [
        ("a: 1", a_text, "f.yaml:1: a must be text, but is a whole number (put it in quotes)"),
        ("a: 1.5", a_text, "f.yaml:1: a must be text, but is a number with a fraction (put it in quotes)"),
        ("a: no", a_text, "f.yaml:1: a must be text, but is true or false (put it in quotes)"),
        ("a: 2024-01-01", a_text, "f.yaml:1: a must be text, but is a date (put it in quotes)"),
        ("\na: [x]", a_text, "f.yaml:2: a must be text, but is a list"),
        ("a:\n  b: x", a_text, "f.yaml:2: a must be text, but is a mapping"),
        ("a: ''", a_text, "f.yaml:1: a must not be empty"),
        ("a: [x]", lambda root: root.raw_text("a"), "f.yaml:1: a must be a single value, but is a list"),
        ("a: green", a_colour, "f.yaml:1: a must be one of red, blue, but is 'green'"),
        ("a: ''", a_colour, "f.yaml:1: a must be one of red, blue, but is ''"),
        ("a: {}", a_colour, "f.yaml:1: a must be a single value, but is a mapping"),
        ("a: x", a_number, "f.yaml:1: a must be a whole number, but is text"),
        ("a: 1.0", a_number, "f.yaml:1: a must be a whole number, but is a number with a fraction"),
        ("a: 10", a_number, "f.yaml:1: a must be from 0 to 9, but is 10"),
        ("a: -1", a_number, "f.yaml:1: a must be from 0 to 9, but is -1"),
        ("a: 007", a_number, "f.yaml:1: a must be a decimal whole number, but is '007'"),
        ("a: 1:30", a_number, "f.yaml:1: a must be a decimal whole number, but is '1:30'"),
        ("a: " + "9" * 5000, a_number, f"f.yaml:1: a must be from 0 to 9, but has more than {MAX_DIGITS} digits"),
        ("a: 0x" + "F" * 5000, a_number, f"f.yaml:1: a must be from 0 to 9, but has more than {MAX_DIGITS} digits"),
        ("a: x", a_decimal, "f.yaml:1: a must be a number, but is text"),
        ("a: [1]", a_decimal, "f.yaml:1: a must be a number, but is a list"),
        ("a: 1.01", a_decimal, "f.yaml:1: a must be from 0 to 1, but is 1.01"),
        ("a: -0.1", a_decimal, "f.yaml:1: a must be from 0 to 1, but is -0.1"),
        ("a: .nan", a_decimal, f"f.yaml:1: a must be a decimal number of at most {MAX_DIGITS} characters, such as 0.9"),
        ("a: 0x1", a_decimal, f"f.yaml:1: a must be a decimal number of at most {MAX_DIGITS} characters, such as 0.9"),
        (
            "a: 0." + "1" * 5000,
            a_decimal,
            f"f.yaml:1: a must be a decimal number of at most {MAX_DIGITS} characters, such as 0.9",
        ),
        ("a: 1", lambda root: root.flag("a"), "f.yaml:1: a must be true or false, but is a whole number"),
        ("a: 'yes'", lambda root: root.flag("a"), "f.yaml:1: a must be true or false, but is text"),
        ("\na: [true]", lambda root: root.flag("a"), "f.yaml:2: a must be true or false, but is a list"),
        ("a: x", lambda root: root.texts("a"), "f.yaml:1: a must be a list, but is text"),
        ("a: []", lambda root: root.texts("a", required=True), "f.yaml:1: a must have at least one item"),
        ("a:\n  - x\n  - 1", lambda root: root.texts("a"), "f.yaml:3: a[1] must be text, but is a whole number"),
        ("a:\n  - x\n  -", lambda root: root.texts("a"), "f.yaml:3: a[1] must be text, but is nothing"),
        ("a: [x]", lambda root: root.section("a"), "f.yaml:1: a must be a mapping, but is a list"),
        ("a: {b: 1}", lambda root: root.sections("a"), "f.yaml:1: a must be a list, but is a mapping"),
        ("a:\n- b: 1\n- x", the_documents, "f.yaml:3: a[1] must be a mapping, but is text"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_with_its_place(text: str, reader: Read, expected: str) -> None:
    """One fault for one mistake, in the words of whoever wrote the file."""
    assert fault(text, reader) == expected


@pytest.mark.parametrize(
    "reader",
    [
        a_text,
        lambda root: root.raw_text("a"),
        a_colour,
        a_number,
        lambda root: root.texts("a", required=True),
        lambda root: root.section("a"),
        lambda root: root.sections("a", required=True),
    ],
)
def test_a_required_key_that_is_missing_is_told_at_its_section(reader: Read) -> None:
    """And where it stands with nothing behind it, at its own line."""
    assert fault("\n{}", reader) == "f.yaml:2: a is missing"
    assert fault("b: 1\na:\n", reader, lambda root: root.raw_text("b")) == "f.yaml:2: a is missing"


def test_a_reader_returns_a_placeholder_of_its_type_after_a_fault() -> None:
    """So that the reading goes on."""
    found, faults = read(
        "a: [1]\nb: x\nc: x",
        a_text,
        lambda root: root.raw_text("a"),
        lambda root: root.choice("b", ("red", "blue")),
        lambda root: root.integer("b", minimum=3, maximum=9),
        lambda root: root.texts("b"),
        lambda root: root.section("c").text("d", "none"),
        lambda root: root.sections("c"),
    )
    assert found == ["", "", "red", 3, (), "none", ()]
    assert len(faults) == 7


def test_a_fault_below_a_section_is_called_by_its_whole_path() -> None:
    """As deep as it goes."""
    text = "identity:\n  issuers:\n    - name: x\n    - name: 1\n      urls: [a, 2]\n"

    def issuers(root: Section) -> None:
        with root.section("identity") as identity:
            for issuer in identity.sections("issuers"):
                with issuer:
                    issuer.text("name")
                    issuer.texts("urls")

    assert read(text, issuers)[1] == [
        "f.yaml:4: identity.issuers[1].name must be text, but is a whole number (put it in quotes)",
        "f.yaml:5: identity.issuers[1].urls[1] must be text, but is a whole number",
    ]


def test_a_fault_of_the_readers_own_stands_at_the_keys_line() -> None:
    """Or at the section's where the key is absent."""
    text = "a:\n  b: x\n"

    def note(root: Section) -> None:
        with root.section("a") as section:
            section.text("b")
            section.fault("b", "is not known")
            section.fault("c", "would be needed")

    assert read(text, note)[1] == ["f.yaml:2: a.b is not known", "f.yaml:2: a.c would be needed"]


# Faults of keys


def test_a_repeated_key_names_its_line() -> None:
    """The second one is the mistake, and the first one holds."""
    assert read("a: x\nb: y\na: z", lambda root: root.text("a"), lambda root: root.text("b")) == (
        ["x", "y"],
        ["f.yaml:3: repeated key 'a'"],
    )


def test_a_repeated_key_below_a_section_names_the_section() -> None:
    """`1` and `"1"` are the same key."""
    assert fault('a:\n  1: x\n  "1": y', lambda root: root.section("a").plain()) == "f.yaml:3: repeated key '1' in a"


def test_a_key_that_is_not_text_is_a_fault() -> None:
    """YAML allows a list as a key; nobody means it."""
    assert fault("? [a]\n: x\nb: y", lambda root: root.text("b")) == "f.yaml:1: a key must be text, but is a list"
    assert (
        fault("a:\n  ? {b: c}\n  : x", lambda root: root.section("a"))
        == "f.yaml:2: a key in a must be text, but is a mapping"
    )


def test_an_unknown_key_is_told_with_the_known_one_that_is_near() -> None:
    """A typing mistake is the usual cause."""
    assert (
        fault("lisen: x", lambda root: root.text("listen", ""))
        == "f.yaml:1: unknown key 'lisen'; did you mean 'listen'?"
    )


def test_an_unknown_key_that_is_like_no_other_is_told_with_all_known_ones() -> None:
    """In the order of the alphabet."""
    readers: tuple[Read, ...] = (lambda root: root.text("listen", ""), lambda root: root.text("grpc", ""))
    assert fault("zzz: x", *readers) == "f.yaml:1: unknown key 'zzz'; known here: grpc, listen"


def test_an_unknown_key_is_told_at_its_own_line_and_not_at_its_values() -> None:
    """A block's first value stands below its key, and an alias's somewhere else."""
    assert fault("\nlisen:\n  grpc: x", lambda root: root.text("zzz", "")).startswith("f.yaml:2: unknown key 'lisen'")
    text = "a: &x\n  b: y\nlisen: *x"
    assert fault(text, lambda root: root.section("a").text("b")).startswith("f.yaml:3: unknown key 'lisen'")


def test_an_unknown_key_below_a_section_names_the_section() -> None:
    """Sections are closed one by one."""

    def section(root: Section) -> None:
        with root.section("a") as inner:
            inner.text("b", "")

    assert fault("a:\n  c: x", section) == "f.yaml:2: unknown key 'c' in a; known here: b"


def test_unknown_keys_are_not_told_when_the_reading_itself_broke() -> None:
    """An error of the program must not be buried."""
    faults = Faults()
    with pytest.raises(ZeroDivisionError), strict_yaml.parse(b"a: 1", "f.yaml", faults):
        raise ZeroDivisionError
    assert faults.found == []


def test_a_merge_key_is_an_unknown_key() -> None:
    """What a section holds stands in the section."""

    def sections(root: Section) -> None:
        for key in ("a", "b"):
            with root.section(key) as section:
                section.text("x", "")

    assert fault("a: &a {x: y}\nb:\n  <<: *a\n", sections) == "f.yaml:3: unknown key '<<' in b; known here: x"


def test_several_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    """One run shows an operator everything."""
    text = "listen:\n  grpc: 1\n  htpp: x\n  grpc: y\nlevel: loud\n"

    def listen(root: Section) -> None:
        with root.section("listen") as section:
            section.text("grpc")
            section.text("http")

    assert read(text, listen, lambda root: root.choice("level", ("info", "debug")), lambda root: root.text("name"))[
        1
    ] == [
        "f.yaml:1: name is missing",
        "f.yaml:2: listen.grpc must be text, but is a whole number (put it in quotes)",
        "f.yaml:2: listen.http is missing",
        "f.yaml:3: unknown key 'htpp' in listen; did you mean 'http'?",
        "f.yaml:4: repeated key 'grpc' in listen",
        "f.yaml:5: level must be one of info, debug, but is 'loud'",
    ]


def test_keys_that_are_passed_over_are_no_fault_and_are_told() -> None:
    """Those that are there and were not asked for; the others stay unknown."""

    def passes_over(root: Section) -> list[str]:
        root.text("a")
        return root.pass_over({"a", "b", "c"})

    assert read("a: x\nc: [y]\nd: z", passes_over) == (
        [["c"]],
        ["f.yaml:3: unknown key 'd'; known here: a, c"],
    )


# Leniently: what other readers of a format have taken


def two_texts(root: Section) -> tuple[str, str]:
    """Read two texts."""
    return root.text("a"), root.text("b")


def test_of_a_repeated_key_the_last_counts_where_that_is_asked_for() -> None:
    """With a warning at each that came again."""
    assert leniently("a: x\nb: y\na: z\na: w", two_texts) == (
        ("w", "y"),
        [],
        ["f.yaml:3: repeated key 'a': the last one counts", "f.yaml:4: repeated key 'a': the last one counts"],
    )


def test_a_repeated_key_that_nobody_asks_for_is_unknown_at_its_last_line() -> None:
    """One fault for it."""
    assert leniently("a: x\nb: y\nc: 1\nc: 2", two_texts)[1] == ["f.yaml:4: unknown key 'c'; known here: a, b"]


@pytest.mark.parametrize(
    "text",
    [
        "{<<: {a: x, b: y}}",
        "{<<: {a: x, b: '?'}, b: y}",
        "{b: y, <<: {a: x, b: '?'}}",
        "{<<: [{a: x}, {a: '?', b: y}]}",
        "{<<: {<<: {b: y, a: '?'}, a: x}}",
        "{a: x, <<: {b: y}, <<: {b: '?', a: '?'}}",
    ],
)
def test_a_merge_key_brings_what_the_mapping_has_not_itself(text: str) -> None:
    """And of several mappings the first goes before."""
    assert leniently(text, two_texts) == (("x", "y"), [], [])


def test_a_merged_anchor_is_read_in_every_place() -> None:
    """As defaults are shared."""
    text = "base: &base\n  a: x\nother:\n  <<: *base\n  b: y\n"

    def sections(root: Section) -> object:
        with root.section("base") as base, root.section("other") as other:
            return base.text("a"), two_texts(other)

    assert leniently(text, sections) == (("x", ("x", "y")), [], [])


def test_what_is_wrong_with_a_merged_key_stands_where_it_is_written() -> None:
    """In the mapping that was merged."""
    text = "a: x\n<<:\n  b: 1\n  d: z\n"
    assert leniently(text, two_texts)[1] == [
        "f.yaml:3: b must be text, but is a whole number (put it in quotes)",
        "f.yaml:4: unknown key 'd'; known here: a, b",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: x\nb: y\n<<: z", "f.yaml:3: << must merge a mapping, but merges text"),
        ("a: x\nb: y\n<<: [{}, [1]]", "f.yaml:3: << must merge a mapping, but merges a list"),
    ],
)
def test_what_is_no_mapping_cannot_be_merged(text: str, expected: str) -> None:
    """Alone or in a list."""
    assert leniently(text, two_texts) == (("x", "y"), [expected], [])


def test_two_quoted_angles_are_a_key_like_others() -> None:
    """Only the bare ones merge."""
    assert leniently("'<<': x", lambda root: root.text("<<")) == ("x", [], [])


def test_many_merged_mappings_take_a_time_in_proportion() -> None:
    """Twenty thousand of one key each would take a minute if each copied those before it."""
    text = "a: x\nb: y\n<<: [" + ",".join(f"{{k{number}: 1}}" for number in range(20_000)) + "]\n"

    def all_keys(root: Section) -> object:
        return len(root.pass_over(root.entries)) + len(two_texts(root))

    begun = time.process_time()
    assert leniently(text, all_keys) == (20_004, [], [])
    assert time.process_time() - begun < 5


def test_sections_below_are_read_as_leniently() -> None:
    """In lists, by name, and of free shape."""
    text = "s: {a: 1, a: 2}\nl: [{a: 1, a: 3}]\np: {q: {a: 1, a: 4, <<: {b: 5}}}"

    def below(root: Section) -> object:
        (item,) = root.sections("l")
        return root.section("s").plain(), item.plain(), root.section("p").plain()

    values, faults, warnings = leniently(text, below)
    assert values == ({"a": 2}, {"a": 3}, {"q": {"a": 4, "b": 5}})
    assert faults == []
    assert sorted(warnings) == [
        "f.yaml:1: repeated key 'a' in s: the last one counts",
        "f.yaml:2: repeated key 'a' in l[0]: the last one counts",
        "f.yaml:3: repeated key 'a' in p.q: the last one counts",
    ]


def test_documents_after_the_first_are_passed_over_where_that_is_asked_for(tmp_path: Path) -> None:
    """From a file too."""
    file = tmp_path / "f.yaml"
    file.write_text("a: x\nb: y\n---\na: z\n")
    faults = Faults()
    with strict_yaml.read(file, faults, lenient=True) as root:
        assert two_texts(root) == ("x", "y")
    assert faults.found == []
    assert [(warning.line, warning.text.partition(",")[0]) for warning in faults.warnings] == [
        (4, "is a second document")
    ]


# Files that cannot be read at all


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "f.yaml: is empty"),
        (b"# nothing but a comment\n", "f.yaml: is empty"),
        (b"--- \n", "f.yaml:2: must be a mapping at its root, but is nothing"),
        (b"- x\n", "f.yaml:1: must be a mapping at its root, but is a list"),
        (b"\nwords\n", "f.yaml:2: must be a mapping at its root, but is text"),
        (
            b"a: 1\n---\nb: 2\n",
            "f.yaml:2: is not YAML: expected a single document in the stream but found another document",
        ),
        (
            b"a:\n\tb: 1\n",
            "f.yaml:2: is not YAML: while scanning for the next token found character that cannot start any token",
        ),
        (b"a: b: c\n", "f.yaml:1: is not YAML: mapping values are not allowed in this context"),
        (b"a: 'x\nb: 1\n", "f.yaml:3: is not YAML: while scanning a quoted scalar found unexpected end of stream"),
        (b"a: *x\n", "f.yaml:1: is not YAML: found undefined alias"),
        (b"a: 1\nb: \xff\n", "f.yaml:2: is not UTF-8: invalid start byte"),
        ("a: 1\n".encode("utf-16"), "f.yaml:1: is not UTF-8: invalid start byte"),
        (b"a: 1\nb: \x00\n", "f.yaml:2: is not YAML: control characters are not allowed"),
        (
            b"a: 1\nb: !!python/object:os.system x\n",
            "f.yaml:2: has the tag 'tag:yaml.org,2002:python/object:os.system', and tags are not allowed here",
        ),
        (b"a: !!null secret\n", "f.yaml:1: has the tag 'tag:yaml.org,2002:null', and tags are not allowed here"),
        (b"a: ! x\n", "f.yaml:1: has the tag '!', and tags are not allowed here"),
        (b"x" * (MAX_BYTES + 1), f"f.yaml: is larger than {MAX_BYTES} bytes"),
        (b"a: &a [x, *a]\n", TOO_LARGE),
        (b"&r\na: *r\n", TOO_LARGE),
    ],
)
def test_what_cannot_be_read_at_all_is_one_fault(data: bytes, expected: str) -> None:
    """It reads as an empty mapping, whose missing keys are not told on top."""
    assert fault(data, lambda root: root.text("a"), lambda root: root.section("b").text("c")) == expected


@pytest.mark.parametrize("opening", NESTING)
def test_nesting_is_bounded_with_the_line_where_it_goes_too_deep(opening: str) -> None:
    """In each of the ways to nest."""
    assert fault(opening * 1000) == f"f.yaml:1: is nested deeper than {MAX_DEPTH} levels"


def test_nesting_up_to_the_bound_is_read() -> None:
    """The innermost value counts as a level."""
    depth = MAX_DEPTH - 2
    assert read("a: " + "[" * depth + "x" + "]" * depth, lambda root: root.has("a")) == ([True], [])
    assert fault("a: " + "[" * (depth + 1) + "x" + "]" * (depth + 1), lambda root: root.has("a")) == TOO_LARGE
    lines = "".join(f"{' ' * level}a:\n" for level in range(100))
    assert fault(lines) == f"f.yaml:{MAX_DEPTH + 1}: is nested deeper than {MAX_DEPTH} levels"


def test_a_hundred_thousand_brackets_do_not_end_the_process() -> None:
    """The C library's tree builder overflows the stack on them: a process of its own shows whether it is asked to."""
    program = (
        "from service_kit import strict_yaml\n"
        "from service_kit.faults import Faults\n"
        f"for opening in {NESTING!r}:\n"
        "    for text in (opening * 100_000, 'a: ' + '[' * 100_000 + ']' * 100_000):\n"
        "        faults = Faults()\n"
        "        strict_yaml.parse(text.encode(), 'f.yaml', faults)\n"
        "        print(len(faults.found))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout.split()) == (0, ["1"] * 2 * len(NESTING))


def test_aliases_that_multiply_are_bounded() -> None:
    """A "billion laughs" file is small and means an immense tree."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert fault("\n".join(lines)) == TOO_LARGE


def test_a_long_list_that_holds_itself_is_bounded() -> None:
    """Each round would put the whole list on the heap once more."""
    assert fault("a: &a [" + "x," * 100_000 + "*a]\n") == TOO_LARGE


def test_the_number_of_values_is_bounded() -> None:
    """Before a tree is built of them."""
    text = "a:\n" + "- x\n" * MAX_NODES
    assert fault(text) == f"f.yaml:{MAX_NODES - 1}: has more than {MAX_NODES} values"


def test_a_file_is_read_and_called_by_its_path(tmp_path: Path) -> None:
    """So that a terminal can link it."""
    file = tmp_path / "authz.yaml"
    file.write_text("a: 1\n")
    faults = Faults()
    with strict_yaml.read(file, faults) as root:
        root.text("a")
    assert [str(found) for found in faults.found] == [
        f"{file}:1: a must be text, but is a whole number (put it in quotes)"
    ]


def test_a_file_is_read_strictly_where_nothing_else_is_asked_for(tmp_path: Path) -> None:
    """As a text is."""
    file = tmp_path / "authz.yaml"
    file.write_text("a: x\na: y\n")
    faults = Faults()
    with strict_yaml.read(file, faults) as root:
        root.text("a")
    assert [str(found) for found in faults.found] == [f"{file}:2: repeated key 'a'"]


@pytest.mark.parametrize(("name", "expected"), [("absent.yaml", "No such file or directory"), (".", "Is a directory")])
def test_a_file_that_cannot_be_opened_is_a_fault(tmp_path: Path, name: str, expected: str) -> None:
    """With the system's reason."""
    faults = Faults()
    with strict_yaml.read(tmp_path / name, faults) as root:
        root.text("a")
    assert [str(found) for found in faults.found] == [f"{tmp_path / name}: cannot be read: {expected}"]


def test_no_more_of_a_file_is_read_than_the_bound() -> None:
    """A file without an end is told as too large."""
    faults = Faults()
    strict_yaml.read(Path("/dev/zero"), faults)
    assert [str(found) for found in faults.found] == [f"/dev/zero: is larger than {MAX_BYTES} bytes"]


# Rules for any text

LINE_ENDS = ("\n", "\r", "\x85", "\u2028", "\u2029")  # as YAML counts them
SCALARS = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        ["", "~", "yes", "007", "0x" + "F" * 5000, "1:30", "''", "&x y", "*x", "!!int a", "!!bool x", "<<", "0b_"]
    ),
    st.text(max_size=8),
)
FLOWS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(SCALARS, inner), max_size=3).map(
            lambda pairs: f"{{{', '.join(f'{key}: {item}' for key, item in pairs)}}}"
        ),
    ),
    max_leaves=8,
)
DOCUMENTS = st.lists(st.tuples(st.sampled_from("abcd"), FLOWS), max_size=4).map(
    lambda pairs: "\n".join(f"{key}: {item}" for key, item in pairs)
)


@given(st.one_of(DOCUMENTS, st.text(max_size=60), st.text("[]{}:,-?&*!|>'\"%@`# \t\nab1<", max_size=40)), st.booleans())
@example("a: 0x" + "F" * 5000, False)
@example("a: !!int {x: y}", False)
@example("a: &a {<<: *a}", True)
@example("<<: [{<<: x}]", True)
def test_no_text_ever_raises_anything_but_gives_faults(text: str, lenient: bool) -> None:  # noqa: FBT001
    """Whatever a file holds, each reader returns a value of its type."""
    faults = Faults()
    with strict_yaml.parse(text.encode("utf-8", "surrogatepass"), "f.yaml", faults, lenient=lenient) as root:
        ask_everything(root)
        json.dumps(root.plain(), allow_nan=False)
    for found in faults.found + faults.warnings:
        assert found.source == "f.yaml"
        assert (
            0
            <= found.line
            <= text.count("\n")
            + text.count("\r")
            + text.count("\x85")
            + text.count("\u2028")
            + text.count("\u2029")
            + 2
        )


@given(
    st.one_of(
        st.binary(max_size=60),
        st.lists(
            st.sampled_from([b"a: ", b"\n", b"\xff", b"\xfe\xff", b"\x00", b"- ", b"\xef\xbb\xbf", b"\r"]), max_size=12
        ).map(b"".join),
    )
)
def test_no_bytes_ever_raise_anything_but_give_faults(data: bytes) -> None:
    """UTF-8 or not."""
    faults = Faults()
    with strict_yaml.parse(data, "f.yaml", faults) as root:
        ask_everything(root)
        json.dumps(root.plain(), allow_nan=False)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,6}", fullmatch=True), st.integers(-(10**12), 10**12), min_size=1, max_size=6
    )
)
def test_every_number_within_bounds_is_read_as_it_was_written(numbers: dict[str, int]) -> None:
    """And no key but those in the file is known."""
    text = "\n".join(f"'{key}': {number}" for key, number in numbers.items())
    faults = Faults()
    with strict_yaml.parse(text.encode(), "f.yaml", faults) as root:
        assert {key: root.integer(key, minimum=-(10**12), maximum=10**12) for key in root.entries} == numbers
    assert faults.found == []


@given(st.lists(st.from_regex(r"[a-z]{1,3}", fullmatch=True), min_size=1, max_size=8))
def test_each_key_that_nobody_asks_for_is_told_once_at_its_line(keys: list[str]) -> None:
    """The first of its name as unknown, each further one as repeated."""
    text = "\n".join(f"'{key}':\n  - x" for key in keys)
    faults = Faults()
    with strict_yaml.parse(text.encode(), "f.yaml", faults):
        pass
    told = {(found.line, found.text.split(" key")[0]) for found in faults.found}
    assert told == {(2 * n + 1, "repeated" if key in keys[:n] else "unknown") for n, key in enumerate(keys)}
    assert len(faults.found) == len(keys)


@pytest.mark.parametrize(
    ("written", "octal"), [("010", 8), ("-017", -15), ("0", 0), ("0x10", 16), ("1_000", 1000), ("0_7", 7), ("10", 10)]
)
def test_a_number_with_a_leading_zero_is_octal_where_a_format_is_read_leniently(written: str, octal: int) -> None:
    faults = Faults()
    with strict_yaml.parse(f"n: {written}".encode(), "f.yaml", faults, lenient=True) as root:
        assert root.integer("n", minimum=-1000, maximum=1000) == octal
    assert faults.found == []


@pytest.mark.parametrize(("written", "true"), [("y", True), ("Y", True), ("n", False), ("N", False), ("yes", True)])
def test_one_letter_is_true_or_false_where_a_format_is_read_leniently(written: str, *, true: bool) -> None:
    faults = Faults()
    with strict_yaml.parse(f"f: {written}".encode(), "f.yaml", faults, lenient=True) as root:
        assert root.flag("f") is true
    assert faults.found == []
    for data, lenient in ((f"f: {written}", False), (f"f: '{written}'", True)):
        with strict_yaml.parse(data.encode(), "f.yaml", faults, lenient=lenient) as root:
            root.flag("f")
    assert len(faults.found) == (1 if written == "yes" else 2)
