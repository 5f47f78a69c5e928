"""Names and bounds of a bundle's files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.bundles import files
from authz_service.policy.bundles.files import MAX_FOLDERS, MAX_NAME_BYTES, Gathering, canonical_name, shown
from service_kit.faults import ConfigurationError


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("data.json", "data.json"),
        ("/data.json", "data.json"),
        ("./a/data.json", "a/data.json"),
        ("/.manifest", ".manifest"),
        ("...", "..."),
        ("a b/ü.rego", "a b/ü.rego"),
        ("/", ""),
        (".", ""),
        ("./", ""),
    ],
)
def test_a_name_has_one_form(raw: str, name: str) -> None:
    assert canonical_name(raw) == name


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("..", "dot segment"),
        ("../etc/passwd", "dot segment"),
        ("/../x", "dot segment"),
        ("a/../../x", "dot segment"),
        ("a/./x", "dot segment"),
        ("//etc/passwd", "empty"),
        (".//etc/passwd", "empty"),
        ("a//b", "empty"),
        ("a/", "empty"),
        ("..\\x", "backslash"),
        ("C:\\x", "backslash"),
        ("a\nb", "control"),
        ("a\0b", "control"),
        ("a\u202eb", "control"),
        ("a\udcffb", "not UTF-8"),
        ("x" * (MAX_NAME_BYTES + 1), "longer than"),
        ("ü" * MAX_NAME_BYTES, "longer than"),
        ("/".join("x" * (MAX_FOLDERS + 2)), "folders deep"),
    ],
)
def test_a_name_that_leads_elsewhere_or_can_be_misread_is_refused(raw: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        canonical_name(raw)


@given(st.text(alphabet="./\\ab\n\0", max_size=12) | st.text(max_size=20))
def test_a_name_that_is_taken_stays_below_the_bundle(raw: str) -> None:
    """Whatever it is made of, and read again it is the same."""
    try:
        name = canonical_name(raw)
    except ValueError:
        return
    assert name == "" or not {"", ".", ".."} & set(name.split("/"))
    assert canonical_name(f"/{name}") == name


def test_a_text_of_the_bundle_is_shown_short_and_on_one_line() -> None:
    assert shown("a\nb\udcff") == r"'a\nb\udcff'"
    assert len(shown("x" * 10_000)) < 100


def faults(gathering: Gathering) -> list[str]:
    """What was noted."""
    with pytest.raises(ConfigurationError) as caught:
        gathering.finish()
    return [str(fault) for fault in caught.value.faults]


def test_files_are_gathered_by_name() -> None:
    gathering = Gathering("b.tar.gz")
    gathering.add("/a", b"1")
    gathering.add("b", b"2")
    assert gathering.finish() == {"a": b"1", "b": b"2"}


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One name in two spellings is one name."""
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 3)
    gathering = Gathering("b.tar.gz")
    for name, content in (("a", b""), ("./a", b""), ("..", b""), ("/", b""), ("b", b"1234")):
        gathering.add(name, content)
    assert faults(gathering) == [
        "b.tar.gz: the file './a' is there twice",
        "b.tar.gz: the file '/' has no name",
        "b.tar.gz: the file 'b' is larger than 3 bytes",
        "b.tar.gz: the name '..' has an empty or a dot segment",
    ]


@pytest.mark.parametrize(("bound", "text"), [("MAX_FILES", "more than 3 files"), ("MAX_BYTES", "more than 3 bytes")])
def test_a_bundle_is_bounded_in_files_and_bytes(monkeypatch: pytest.MonkeyPatch, bound: str, text: str) -> None:
    monkeypatch.setattr(files, bound, 3)
    gathering = Gathering("b")
    for name in "abc":
        gathering.add(name, b"x")
    with pytest.raises(ConfigurationError, match=text):
        gathering.add("d", b"x")


def test_a_bundle_made_of_faults_does_not_fill_the_log() -> None:
    gathering = Gathering("b")
    for _ in range(files.MAX_FAULTS - 1):
        gathering.add("..", b"")
    with pytest.raises(ConfigurationError) as caught:
        gathering.add("..", b"")
    assert len(caught.value.faults) == files.MAX_FAULTS
