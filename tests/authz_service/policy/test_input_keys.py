"""The table of the input's keys, held against inputs that are built."""

from __future__ import annotations

import re
from typing import Any

import pytest

from authz_service.policy import input_keys
from authz_service.policy.input_keys import KEYS, examples, values_at

# Objects whose members are named by others: clients, tokens, operators.
OPEN = {"object", "any"}
KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "null": (type(None),),
    "any": (dict, list, str, int, float, bool, type(None)),
}
BY_PATH = {key.path: key for key in KEYS}


def is_of(value: Any, kind: str) -> bool:
    """Whether a value is of a kind as the table writes it."""
    if kind.startswith("list of "):
        return isinstance(value, list) and all(is_of(item, kind.removeprefix("list of ")[:-1]) for item in value)
    return any(type(value) in KINDS[each] for each in kind.split(" or "))


def paths(value: Any, path: str = "") -> set[str]:
    """The paths of all that is in a value, down to where the table ends."""
    key = BY_PATH.get(path)
    if key is not None and key.kind in OPEN:
        return {path}
    found = {path} if path else set()
    if isinstance(value, dict):
        for name, item in value.items():
            found |= paths(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            found |= paths(item, f"{path}[]") if isinstance(item, dict) else set()
    return found


@pytest.mark.parametrize("key", KEYS, ids=lambda key: str(key.path))
def test_each_key_is_in_an_input_and_of_its_type(key: input_keys.InputKey) -> None:
    found = [value for document in examples() for value in values_at(document, key.path)]
    assert found
    assert all(is_of(value, key.kind) for value in found)


def test_each_part_of_an_input_is_a_key_or_leads_to_one() -> None:
    for document in examples():
        for path in paths(document):
            assert path in BY_PATH or any(re.match(rf"{re.escape(path)}[.\[]", known) for known in BY_PATH), path


def test_no_key_is_told_twice() -> None:
    assert len(BY_PATH) == len(KEYS)


def test_the_table_has_a_row_for_each_key_and_a_cell_for_each_column() -> None:
    rows = input_keys.table().splitlines()
    assert len(rows) == len(KEYS) + 2
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_a_key_that_is_not_there_has_no_values() -> None:
    assert values_at({"a": None}, "a.b") == []
    assert values_at({"a": [{"b": 1}, {"b": 2}]}, "a[].b") == [1, 2]
