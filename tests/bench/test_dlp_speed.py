"""The texts that speed is measured on."""

from __future__ import annotations

import io
import json
import random
import sys
from pathlib import Path

import pytest

from bench import dlp_rivals
from bench.dlp_rivals import Rival
from bench.dlp_speed import _Repeated, clean, dense, json_body
from bench.rivals.serving import characters


def test_texts_have_about_the_size_that_is_asked_for() -> None:
    rng = random.Random(1)
    for make in (clean, dense, json_body):
        assert 60_000 < len(make(rng, 65_536).encode()) <= 65_536


def test_a_dense_text_has_something_each_two_hundred_bytes() -> None:
    text = dense(random.Random(1), 20_000)
    assert sum("ssn" in text[at : at + 200].lower() or "@" in text[at : at + 200] or "card" in text[at : at + 200]
               for at in range(0, len(text), 200)) > 60  # fmt: skip


def test_a_body_is_json() -> None:
    assert len(json.loads(json_body(random.Random(1), 65_536))) > 100


def test_a_long_body_is_made_as_it_is_read() -> None:
    source = io.BufferedReader(_Repeated(b"abc", 100_000))
    data = source.read()
    assert data == (b"abc" * 33_334)[:100_000]


def test_rivals_that_are_not_installed_are_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dlp_rivals, "PYTHON", tmp_path / "python")
    assert dlp_rivals.installed() == []
    assert "make bench-dlp-rivals" in capsys.readouterr().out


def test_a_rival_is_asked_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The part of its process that is ours, with a scanner made up in place of a foreign one."""
    monkeypatch.setattr(dlp_rivals, "PYTHON", Path(sys.executable))
    answer = dlp_rivals.ask(Rival("marks", "tests.bench.marking_rival", "json"), ["é abc", "", "abcabc"])
    assert answer.entities == {"us_ssn"}
    assert [[(found.start, found.end) for found in each] for each in answer.findings] == [
        [(2, 5)],
        [],
        [(0, 3), (3, 6)],
    ]
    assert len(answer.seconds) == 3


def test_a_place_in_bytes_is_told_in_characters() -> None:
    assert [characters("aé😀b")(place) for place in (0, 1, 3, 7, 8)] == [0, 1, 2, 3, 4]
    assert characters("abc")(2) == 2
