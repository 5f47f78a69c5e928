"""Patterns → the longest text that they can match."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from authz_service.dlp.detectors import ALL
from authz_service.dlp.rows import Row
from authz_service.dlp.width import Shape, shape_of, width_of

OPTIONS = re2.Options()
OPTIONS.encoding = re2.Options.Encoding.LATIN1
OPTIONS.log_errors = False


def compiled(pattern: str) -> re2._Regexp:
    """As the scanner compiles it."""
    return re2.compile(pattern.encode(), OPTIONS)


def matches(pattern: str, text: bytes) -> bool:
    """Whether a pattern matches the whole of a text."""
    return compiled(pattern).fullmatch(text) is not None


@pytest.mark.parametrize(
    ("pattern", "longest_match"),
    [
        ("", b""),
        ("abc", b"abc"),
        ("é", "é".encode()),
        ("[é]", "é".encode()[:1]),
        ("a|bcd|ef", b"bcd"),
        ("(a|bc){2,3}", b"bcbcbc"),
        ("(?:a|bc)?d", b"bcd"),
        ("(?P<name>x{3})(?<other>y)", b"xxxy"),
        ("(?i)ab(?-i:cd){2}(?sU)e", b"ABcdcde"),
        ("a(?i){3}", b"aaa"),
        (r"^\bfoo\b$", b"foo"),
        (r"\A\ba\z|\B", b"a"),
        (r"\Qa*|b(\E{3}", b"a*|b((("),
        (r"a\Q\E{3}", b"aaa"),
        (r"\Qa)", b"a)"),
        (r"\Q\\E", b"\\"),
        (r"[[:alpha:]\]x]{4}", b"aZ]x"),
        ("[[:alpha:][:digit:]]{2}", b"a1"),
        ("[]a]{2}", b"]a"),
        ("[^]a]b", b"cb"),
        ("[a-]]", b"-]"),
        ("[[:]{2}", b"[:"),
        ("[+-[:a]b]", b":b]"),
        (r"[\d-[:alpha:]b]{2}", b"-z"),
        ("[]-a[:digit:]]{2}", b"^1"),
        ("[(|{*]{2}", b"(|"),
        (r"[\d\x{41}\pL\\]{3}", b"9A\\"),
        (r"\pN{3}", b"123"),
        (r"\p{Lu}\P{^Lu}", b"AB"),
        (r"\x41\x{42}\x{5a}{2}", b"ABZZ"),
        (r"\101\0\07{2}", b"A\0\a\a"),
        (r"\d\D\s\S\w\W.\C", b"1a b_-xy"),
        (r"\.\*\+\?\(\)\[\]\{\}\|\^\$\\", b".*+?()[]{}|^$\\"),
        ("a{01}", b"a{01}"),
        ("a{,2}", b"a{,2}"),
        ("x{2", b"x{2"),
        ("x{a}", b"x{a}"),
        ("]", b"]"),
        ("a{10000000000}", b"a{10000000000}"),
        ("a{2,3}?b{2}?c??", b"aaabbc"),
        ("a{0}b", b"b"),
        ("(?:a{10}b?){3}", (b"a" * 10 + b"b") * 3),
    ],
)
def test_the_width_is_that_of_the_longest_match(pattern: str, longest_match: bytes) -> None:
    """And RE2 takes it for one."""
    assert matches(pattern, longest_match)
    assert width_of(pattern) == len(longest_match)


@pytest.mark.parametrize(
    "pattern", ["a*", "a+?", "a{3,}", "(?:ab|c+)d", "(a{2,}){3}", "(|a)*", "b|(?i:a*)", r"\pN+", "[*]*", r"\Qab\E*"]
)
def test_a_repeat_without_an_end_has_no_width(pattern: str) -> None:
    """Wherever it stands."""
    compiled(pattern)
    assert width_of(pattern) is None


@pytest.mark.parametrize("pattern", ["(?:)*", "^*", r"(\b|$)+", "(?:a*){0}", "(?:(?:){3,})+"])
def test_nothing_repeated_without_an_end_is_nothing(pattern: str) -> None:
    """And so is anything that is repeated never."""
    compiled(pattern)
    assert width_of(pattern) == 0


@pytest.mark.parametrize(
    ("pattern", "shortest"), [("a*", 0), ("a+", 1), ("(?:ab|cde){2,}", 4), ("a|", 0), ("^$", 0), (r"\b", 0), ("a?b", 1)]
)
def test_the_shortest_match_is_known_too(pattern: str, shortest: int) -> None:
    """Zero is a pattern that matches the empty text somewhere."""
    assert shape_of(pattern).shortest == shortest


def test_the_parts_that_match_a_byte_are_told_as_they_are_written() -> None:
    """What is quoted is told in a form that stands for itself."""
    assert shape_of(r"a[^]b]{2}\d|(?i:\x41)\pN.^\b\Q*\E") == Shape(
        4,
        4,
        Row(0, None, None),
        frozenset({"a", "[^]b]", r"\d", r"\x41", r"\pN", ".", r"\x2a"}),
        frozenset({"^", r"\b"}),
    )


def test_each_such_part_is_a_pattern_of_its_own() -> None:
    """Which matches one byte, or none."""
    units = {unit for detector in ALL for unit in shape_of(detector.pattern).units}
    assert {len(match[0]) for unit in units for match in compiled(unit).finditer(bytes(range(256)))} == {1}


@pytest.mark.parametrize(
    "deep", ["(" * 50_000 + ")" * 50_000, "(?:" * 50_000, ")" * 50_000, "[" * 2_000, "(a|" * 9_000]
)
def test_a_pattern_that_re2_refuses_ends_too(deep: str) -> None:
    """However deep it is nested."""
    width_of(deep)


def test_every_detector_of_ours_has_an_end() -> None:
    """Else a stream would be held back for ever."""
    assert [detector.name for detector in ALL if width_of(detector.pattern) is None] == []


_UNITS = st.sampled_from(
    [
        "a", "B", "-", r"\.", r"\x41", r"\d", r"\w", r"\s", "[a-c]", "[]x]", "[^]x]", "[^a-y]", r"[\d_]", r"[\]\[]",
        "[a-]", ".", "=", "}", r"\\", r"\(",
    ]
)  # fmt: skip
_REPEATS = st.sampled_from(["?", "*", "+", "{2}", "{0,2}", "{1,3}", "{2,}", "??", "{1,2}?", "*?", "{0}"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, _REPEATS).map(lambda pair: f"({pair[0]}){pair[1]}"),
        st.tuples(inner, _REPEATS).map(lambda pair: f"(?P<n>{pair[0]}|)" if "n" not in pair[0] else pair[0]),
        inner.map(lambda each: f"(?i:{each})"),
        inner.map(lambda each: f"\\b{each}$|^{each}"),
    )


PATTERNS = st.recursive(st.one_of(_UNITS, st.tuples(_UNITS, _REPEATS).map("".join)), _grown, max_leaves=8)


def _is_both(pattern: str) -> bool:
    """Whether RE2 and Python's own engine, which makes the examples up, both take a pattern."""
    try:
        re.compile(pattern, re.ASCII)
        compiled(pattern)
    except (re.error, re2.error):
        return False
    return True


@settings(max_examples=300)
@given(st.data())
def test_no_text_made_from_a_pattern_is_longer_than_its_width(data: st.DataObject) -> None:
    """Nor shorter than its shortest."""
    pattern = data.draw(PATTERNS)
    assume(_is_both(pattern))
    text = data.draw(st.from_regex(re.compile(pattern.encode(), re.DOTALL), fullmatch=True))
    assume(matches(pattern, text))  # the engines differ in what `.` and `$` are, and in `\s`
    shape = shape_of(pattern)
    assert shape.shortest <= len(text)
    assert shape.longest is None or len(text) <= shape.longest


_PLAIN = st.recursive(
    st.sampled_from(["a", "bc", "[a-c]", r"\x61", r"\Qa\E", "[[:alpha:]]", r"\pL"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["?", "{2}", "{0,2}", "{1,3}"])).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(_PLAIN)
def test_re2_finds_a_match_as_long_as_the_width_and_none_longer(pattern: str) -> None:
    """Every part of these can match an `a`."""
    shape = shape_of(pattern)
    assert shape.longest is not None
    lengths = [length for length in range(shape.longest + 4) if _fits(pattern, length)]
    assert (lengths[0], lengths[-1]) == (shape.shortest, shape.longest)


def _fits(pattern: str, length: int) -> bool:
    """Whether any text of a length is matched: the one part that is no `a` is made a class with an `a` in it."""
    return matches(pattern.replace("bc", "[a-c][a-c]"), b"a" * length)


_PIECES = (
    "a", "(", ")", "|", "{", "}", "1", "2", ",", "?", "*", "+", "[", "]", "^", "$", "[a", "-", r"\Q", r"\E", "(?:", ".",
    r"\w", "(?i)", "(?P<n>", "[^b", "[:alpha:]", r"\b", r"\B", r"\pL", "{2}", "{1,2}", "{0,2}", r"\x61", r"\141",
)  # fmt: skip


@settings(max_examples=2000)
@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=9).map("".join))
def test_whatever_re2_takes_is_read_as_re2_reads_it(pattern: str) -> None:
    """A row of `a` that it matches is never longer than the width, nor shorter than the shortest."""
    shape = shape_of(pattern)
    try:
        compiled(pattern)
    except re2.error:
        return
    for length in range(16):
        if matches(pattern, b"a" * length):
            assert shape.shortest <= length
            assert shape.longest is None or length <= shape.longest
