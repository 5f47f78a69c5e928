"""A text that comes in parts → what is found in it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors import ALL, Detector
from authz_service.dlp.scan import Scanner
from authz_service.dlp.spans import MAX_VALUE, Stretch
from tests.authz_service.dlp.streaming import HARD, PLAIN, SCANNER, SSN, chunks

CUTS = st.lists(st.integers(0, 5_000), max_size=8)


def joined(stretches: list[Stretch]) -> list[tuple[str, int, int]]:
    """Spans, those that are told in parts put together."""
    spans: list[tuple[str, int, int]] = []
    last: dict[str, int] = {}
    for span, begins, *_ in stretches:
        name = span.detector.name
        if begins:
            last[name] = len(spans)
            spans.append((name, span.start, span.end))
        else:
            _, start, end = spans[last[name]]
            assert end == span.start
            spans[last[name]] = name, start, span.end
    return spans


def swept(parts: list[bytes], scanner: Scanner = SCANNER) -> list[Stretch]:
    """What is told of a text that comes in parts."""
    sweep = scanner.sweep()
    return [stretch for part in parts for stretch in sweep.feed(part, ends=False)] + sweep.feed(b"", ends=True)


def found(text: bytes) -> list[tuple[str, bytes]]:
    """What is found in a whole text."""
    return [(name, text[start:end]) for name, start, end in joined(swept([text]))]


@given(PLAIN, CUTS)
def test_a_text_in_parts_holds_what_the_whole_holds(text: bytes, cuts: list[int]) -> None:
    """In the same order."""
    expected = joined(swept([text]))
    assert joined(swept(chunks(text, cuts))) == expected
    assert joined(swept([text[place : place + 1] for place in range(len(text))])) == expected
    assert joined([Stretch(span) for span in SCANNER.find(text)]) == expected


@given(PLAIN, CUTS)
def test_no_more_is_undecided_than_is_said(text: bytes, cuts: list[int]) -> None:
    """And nothing that is told begins before what was said to be safe."""
    sweep = SCANNER.sweep()
    came = safe = 0
    for part in chunks(text, cuts):
        stretches = sweep.feed(part, ends=False)
        assert all(span.start >= safe for span, *_ in stretches)
        came += len(part)
        assert sweep.safe >= safe
        safe = sweep.safe
        assert came - safe <= SCANNER.hold_back
    sweep.feed(b"", ends=True)
    assert sweep.safe == came


@given(PLAIN, PLAIN)
def test_the_end_of_a_text_is_an_end(first: bytes, second: bytes) -> None:
    """What comes behind it is another text, found as it is alone."""
    sweep = SCANNER.sweep()
    alone = joined(sweep.feed(first, ends=True))
    behind = joined(sweep.feed(second, ends=True))
    assert alone == joined(swept([first]))
    assert behind == [(name, start + len(first), end + len(first)) for name, start, end in joined(swept([second]))]


def test_a_neighbour_that_is_taken_out_hides_nothing() -> None:
    """Neither to its right nor to its left, neither from patterns nor from judgement."""
    assert found(SSN + SSN) == []
    assert found(b"qqqqqqqq" + b"qqqqqqqq ") == [("last", b"qqqqqqqq"), ("last", b"qqqqqqqq")]
    assert found(b"id123abcdefgh") == [("word", b"id123"), ("left", b"abcdefgh")]
    assert found(b"abcdefghid123") == [("left", b"abcdefgh"), ("word", b"id123")]
    assert found(b"top12abcdefghtop34") == [("begins", b"top12"), ("left", b"abcdefgh"), ("begins", b"top34")]
    assert found(b"xid123abcdefgh") == [("left", b"abcdefgh")]


def test_a_word_beyond_a_neighbour_tells_nothing() -> None:
    """What is behind a chain sees nothing of what is before."""
    assert found(b"acct 123456789") == [("account", b"123456789")]
    assert found(b"123456789 acct") == [("account", b"123456789")]
    assert found(b"acct abcdefgh 123456789") == [("left", b"abcdefgh")]


def test_a_mark_of_redaction_is_an_end() -> None:
    """Nothing is found in it, nor by it, and what it stands beside is free of it."""
    assert found(b"[REDACTED:acct] 123456789") == []
    assert found(b"[REDACTED:us_ssn]id123[REDACTED:us_ssn]") == [("word", b"id123")]


def test_spans_that_overlap_are_judged_as_the_text_was_before_them() -> None:
    """And all are told."""
    assert found(b"abcdefghijklmnopqr") == [("left", b"abcdefgh"), ("right", b"ghijklmnopqr")]


def test_a_span_with_a_tail_goes_on_to_its_end() -> None:
    """Where its bytes end, where it is as long as it can be, or where what ends it stands."""
    assert found(b"t_abcd_efgh.x") == [("tailed", b"t_abcd_efgh")]
    assert found(b"t_" + b"a" * 60) == [("tailed", b"t_" + b"a" * 38)]
    assert found(b"<<BEGIN>>a<<END>>b") == [("block", b"<<BEGIN>>a<<END>>")]
    assert found(b"<<BEGIN>>a*<<END>>b") == [("block", b"<<BEGIN>>a")]


def test_a_long_span_is_told_before_its_end() -> None:
    """Once it is known to be too long to be held."""
    sweep = SCANNER.sweep()
    told = sweep.feed(b"f_" + b"a" * MAX_VALUE, ends=False)
    assert [(span.start, span.end, begins, long) for span, begins, long, _ in told] == [(0, 514, True, True)]
    told = sweep.feed(b"b" * 10, ends=False)
    assert [(span.start, span.end, begins, long) for span, begins, long, _ in told] == [(514, 524, False, True)]
    assert sweep.feed(b". ", ends=False) == []


def test_what_is_found_inside_of_a_span_is_told_too() -> None:
    """Who lets the outer pass goes by the inner."""
    assert found(b"t_abcd@abc.com") == [("mail", b"t_abcd@abc.com"), ("tailed", b"t_abcd")]


def test_nothing_of_a_detector_is_sought_inside_of_what_it_found() -> None:
    """It goes on behind."""
    pairs = Detector("pair", "pair", "..", "..", lambda text, start, end: len(text[start:end]) > 1)
    assert [(span.start, span.end) for span in Scanner([pairs]).find(b"abcde")] == [(0, 2), (2, 4)]


@given(st.text("ab= ", max_size=80), st.integers(1, 40))
def test_a_detector_that_says_what_stands_before_finds_the_same(text: str, cut: int) -> None:
    """Only sooner: the places between are passed over."""

    def accepts(text: bytes, start: int, end: int) -> float:
        return float(start > 0 and text[start - 1] == ord("=") and end - start > 2)

    plain = Detector("x", "x", "a", "a[ab]{1,6}", accepts)
    quick = replace(plain, behind=frozenset(b"="))
    whole = joined(swept([text.encode()], Scanner([plain])))
    assert joined(swept([text.encode()], Scanner([quick]))) == whole
    assert joined(swept([text[:cut].encode(), text[cut:].encode()], Scanner([quick]))) == whole


def test_every_hard_detector_finds_something() -> None:
    """Else the rules above would prove little."""
    text = b"acct 123456789 qqqqqqqq id123 abcdefghijklmn t_abcd f_abcd p<ab <<BEGIN>> me@abc.com \n"
    assert {name for name, _ in found(b"top1\xff" + text)} >= {each.name for each in HARD} - {"begins"}
    assert found(b"top12") == [("begins", b"top12")]


def test_brackets_around_a_value_are_no_mark() -> None:
    """Whoever writes them hides nothing."""
    assert found(b"[REDACTED:abcdefgh]") == [("left", b"abcdefgh")]


@given(PLAIN, CUTS)
def test_a_prompt_one_finds_the_same_and_tells_nothing_of_what_was_safe(text: bytes, cuts: list[int]) -> None:
    """However it is cut, and the end of the text is an end."""
    expected = joined(swept([text]))
    for parts in ([text], chunks(text, cuts), [text[place : place + 1] for place in range(len(text))]):
        sweep = SCANNER.sweep(prompt=True)
        for before in (0, len(text)):
            told, came = [], before
            for part in parts:
                safe = sweep.safe
                stretches = sweep.feed(part, ends=False)
                told += stretches
                came += len(part)
                assert all(span.start >= safe for span, _, _, _ in stretches)
                assert safe <= sweep.safe <= came
                assert came - sweep.safe <= SCANNER.hold_back
            told += sweep.feed(b"", ends=True)
            assert joined(told) == [(name, start + before, end + before) for name, start, end in expected]
            assert sweep.safe == before + len(text)


def test_a_prompt_one_holds_back_what_may_be_the_beginning_of_something() -> None:
    """And what is found is told once nothing can change it."""
    sweep = Scanner(ALL).sweep(prompt=True)
    assert sweep.feed(b"It is a long way. ", ends=False) == []
    assert sweep.safe == 18
    assert sweep.feed(b"My number is 123-", ends=False) == []
    assert sweep.safe == 18 + 13
    assert [(span.start, span.end) for span, _, _, _ in sweep.feed(b"45-6789, ", ends=False)] == [(31, 42)]
    assert sweep.safe == 18 + 26
