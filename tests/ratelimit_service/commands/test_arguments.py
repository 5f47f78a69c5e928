from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.commands import arguments
from ratelimit_service.commands.arguments import UsageError
from tests.ratelimit_service import configured
from tests.ratelimit_service.commands.terminal import run

keys = st.text(st.characters(exclude_characters="=", exclude_categories=["Cs"]), min_size=1)
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(key=keys, value=texts)
def test_an_entry_ends_its_key_at_the_first_equals_sign(key: str, value: str) -> None:
    assert arguments.entry(f"{key}={value}") == (key, value)


@pytest.mark.parametrize("text", ["", "user", "=alice", "=", "user=\udcff"])
def test_what_is_no_entry_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        arguments.entry(text)
    assert str(caught.value).startswith(repr(text))
    assert "\n" not in str(caught.value)


def test_a_domain_that_is_not_known_is_told_with_the_nearest_or_with_all() -> None:
    limits = configured.limits("domain: gateway\ndescriptors: []", "domain: batch\ndescriptors: []")
    assert arguments.known_domain("batch", limits) == "batch"
    with pytest.raises(UsageError, match=r"^--domain: there is no domain 'gatway'; did you mean 'gateway'\?$"):
        arguments.known_domain("gatway", limits)
    with pytest.raises(UsageError, match=r"^--domain: there is no domain 'x'; there are: 'batch', 'gateway'$"):
        arguments.known_domain("x", limits)


def test_a_long_list_of_names_is_cut() -> None:
    text = arguments.unknown("zzz", {f"d{number:03}" for number in range(100)}, "domain")
    assert text.endswith("'d018', 'd019', ...")


def test_a_directory_that_is_none_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("domain: d")
    for path, why in (
        (tmp_path / "nowhere", "cannot be read: No such file or directory"),
        (file, "is not a directory"),
    ):
        answer = run("check", "--config-dir", path)
        assert (answer.status, answer.out) == (2, "")
        assert answer.err == f"--config-dir: {path} {why}\n"
    answer = run("check", "--config-dir", "")
    assert (answer.status, answer.err) == (2, "--config-dir: must not be empty\n")


@pytest.mark.parametrize("text", ["0", "10001", "-1", "x", "1.5", "", "٣", "9" * 5_000])
def test_a_length_of_a_list_is_a_number_within_bounds(text: str) -> None:
    answer = run("show", f"--top={text}")
    assert answer.status == 2
    assert "must be a whole number from 1 to 10000" in answer.err
