"""Candidates of one text, from left to right; `test_sweep` has the rules that hold however a text is cut."""

from __future__ import annotations

from authz_service.dlp.compiled import Compiled
from authz_service.dlp.detectors import Detector
from authz_service.dlp.judged import Chain, Entry, Judged, extent_of

LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyz")
PAIR = Detector("pair", "pair", "[0-9]", "[0-9]{2}", lambda text, start, _: float(text[start : start + 1] != b"1"))
NAME = Detector("name", "name", "n_", "n_[a-z]{2}", lambda *_: 0.5, tail=LETTERS, longest=8)
WORD = Detector("word", "word", "zz", r"\bzz\b", lambda *_: 1.0)
COMPILED = Compiled([PAIR, NAME, WORD])


def found(text: bytes, *, ends: bool = True) -> list[tuple[str, int, int]]:
    entries: list[Entry] = []
    judged = Judged(COMPILED, text, Chain(), entries, ends)
    judged.search(0, len(text), COMPILED.matching(text))
    return [(COMPILED.detectors[entry.index].name, entry.start, entry.end) for entry in entries]


def test_a_true_candidate_behind_the_first_byte_of_a_refused_one_is_found() -> None:
    assert found(b"123") == [("pair", 1, 3)]


def test_within_what_a_detector_found_it_finds_nothing_more() -> None:
    assert found(b"234 n_n_ab") == [("pair", 0, 2), ("name", 6, 10)]


def test_what_was_found_leaves_an_end_of_the_text_behind_it() -> None:
    assert found(b"22zz") == [("pair", 0, 2), ("word", 2, 4)]
    assert found(b"xzz") == []


def test_what_stands_before_a_finding_is_judged_again_as_a_text_that_ends_there() -> None:
    assert sorted(found(b"zz22")) == [("pair", 2, 4), ("word", 0, 2)]


def test_a_tail_goes_on_to_its_length_and_may_go_on_where_the_text_is_not_over() -> None:
    assert extent_of(NAME, b"n_abcdefgh", (0, 4), 4, ends=True) == (8, False)
    assert extent_of(NAME, b"n_abc", (0, 4), 4, ends=False) == (5, True)
    assert extent_of(NAME, b"n_abc", (0, 4), 4, ends=True) == (5, False)
    assert extent_of(PAIR, b"22", (0, 2), 2, ends=False) == (2, False)
