"""Places in JSON and their paths."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.views.json_paths import json_paths

MARK = "MARK"
KEYS = st.text(st.sampled_from("ab_1"), min_size=1, max_size=4)
OTHERS = st.none() | st.integers() | st.text(st.characters(codec="utf-8") | st.sampled_from('"\\,:{}[]'), max_size=6)
TREES = st.recursive(
    OTHERS | st.just(MARK),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def marked(value: Any, path: str = "$") -> list[str]:
    """The paths of the marks, in the order in which they are written."""
    if isinstance(value, dict):
        return [found for name, member in value.items() for found in marked(member, f"{path}.{name}")]
    if isinstance(value, list):
        return [found for index, member in enumerate(value) for found in marked(member, f"{path}[{index}]")]
    return [path] if value == MARK else []


@given(TREES, st.sampled_from([None, 1]))
def test_each_place_has_the_path_that_a_parser_would_take(tree: Any, indent: int | None) -> None:
    """Whatever stands in other strings."""
    body = json.dumps(tree, indent=indent).encode()
    places = [index for index in range(len(body)) if body.startswith(b'"MARK"', index)]
    assert json_paths(body, [place + 1 for place in places]) == marked(tree)


@pytest.mark.parametrize(
    ("body", "mark", "path"),
    [
        (b'{"a": [1, 2, 333]}', b"333", "$.a[2]"),
        (b'{"a": {"b c": "x"}}', b"x", '$.a["b c"]'),
        (b'{"secret-name": 1}', b"name", "$.?"),
        (b'{"a": 1, "bMARK": 2}', b"MARK", "$.?"),
        (b"777", b"777", "$"),
        (b'"777"', b"777", "$"),
        (b"no json at all", b"json", "$"),
        (b'{"\\u0000\x00": "x"}', b"x", "$.?"),
    ],
)
def test_a_path_says_where(body: bytes, mark: bytes, path: str) -> None:
    """Never with the name in which the place is."""
    assert json_paths(body, [body.index(mark)]) == [path]


def test_paths_are_bounded() -> None:
    """In names and in levels."""
    body = b'{"' + b"k" * 1_000 + b'": ' + b"[" * 1_000 + b'"x"'
    (path,) = json_paths(body, [body.index(b"x")])
    assert len(path) < 400
    assert path.endswith("…")


@given(st.binary(max_size=60), st.lists(st.integers(0, 80), max_size=5).map(sorted))
def test_any_bytes_have_paths(body: bytes, places: list[int]) -> None:
    """As many as were asked for."""
    assert len(json_paths(body, places)) == len(places)
