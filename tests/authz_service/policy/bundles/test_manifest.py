"""The manifest, and the data that it allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.bundles import manifest
from authz_service.policy.bundles.manifest import MAX_REVISION, Manifest, outside, read_manifest
from service_kit.faults import Faults


def read(files: Mapping[str, bytes]) -> tuple[Manifest, list[str]]:
    """The manifest, and the faults."""
    faults = Faults()
    manifest = read_manifest(files, "b", faults)
    return manifest, [str(fault) for fault in faults.found]


def test_a_bundle_without_a_manifest_owns_the_whole_document() -> None:
    assert read({}) == (Manifest("", ("",)), [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"{}", Manifest()),
        (b'{"revision": null, "roots": null}', Manifest()),
        (b'{"revision": "r", "roots": ["/a/", "b/c"], "rego_version": 1, "x": 2}', Manifest("r", ("a", "b/c"))),
        (b'{"roots": []}', Manifest("", ())),
        (b'{"roots": ["a", "ab", "a.b"]}', Manifest("", ("a", "ab", "a.b"))),
    ],
)
def test_a_manifest_is_read(text: bytes, expected: Manifest) -> None:
    assert read({".manifest": text}) == (expected, [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"[]", "b/.manifest: must be an object at its root"),
        (b"{\n", "b/.manifest:2: is not JSON: "),
        (b"{} {}", "b/.manifest:1: is not JSON: "),
        (b'{"revision": 1}', "b/.manifest: has a revision that is not text"),
        (b'{"revision": "a\\nb"}', "b/.manifest: has a revision that is not text"),
        (b'{"revision": "' + b"x" * (MAX_REVISION + 1) + b'"}', "b/.manifest: has a revision that is not text"),
        (b'{"roots": "a"}', "b/.manifest: has roots that are not a list"),
        (b'{"roots": [1]}', "b/.manifest: has roots that are not a list"),
        (json.dumps({"roots": [str(n) for n in range(1001)]}).encode(), "b/.manifest: has roots that are not a list"),
        (b'{"roots": ["a", "a"]}', "b/.manifest: has overlapping roots: 'a' and 'a'"),
        (b'{"roots": ["a/b/c", "x", "/a/b"]}', "b/.manifest: has overlapping roots: 'a/b' and 'a/b/c'"),
        (b'{"roots": ["", "a"]}', "b/.manifest: has overlapping roots: '' and 'a'"),
    ],
)
def test_a_manifest_that_is_none_is_a_fault(text: bytes, fault: str) -> None:
    (found,) = read({".manifest": text})[1]
    assert found.startswith(fault)


@pytest.mark.parametrize("name", ["a/.manifest", "x.manifest", ".manifest.pb", "a/.manifest.pb"])
def test_a_manifest_in_another_place_or_form_is_a_fault(name: str) -> None:
    """To OPA it counts, roots and all."""
    assert read({name: b"{}"})[1] == [f"b/{name}: must be .manifest, in JSON, at the bundle's root"]


def test_a_manifest_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "MAX_MANIFEST_BYTES", 3)
    assert read({".manifest": b"{  }"})[1] == ["b/.manifest: is larger than 3 bytes"]


PATHS = st.lists(st.sampled_from("abc"), max_size=3)


@given(st.lists(PATHS, max_size=5))
def test_roots_overlap_exactly_when_one_is_above_another(roots: list[list[str]]) -> None:
    overlaps = any(
        one == other[: len(one)] for place, one in enumerate(roots) for at, other in enumerate(roots) if place != at
    )
    found = read({".manifest": json.dumps({"roots": ["/".join(root) for root in roots]}).encode()})[1]
    assert bool(found) is overlaps


@pytest.mark.parametrize(
    ("data", "roots", "expected"),
    [
        ({"a": 1}, ("",), []),
        ({}, (), []),
        ({"a": 1}, (), [""]),
        ({"a": {"b": 1, "c": 2}}, ("a",), []),
        ({"a": {"b": 1, "c": {"d": 2}}, "ab": 3}, ("a/b",), ["a/c", "ab"]),
        ({"a": 1}, ("a/b",), ["a"]),
        ({"a": [1]}, ("a/0",), ["a"]),
        ({"a": {}}, ("a/b",), []),
        ({"a/b": 1}, ("a/b",), ["a/b"]),
    ],
)
def test_data_outside_the_roots_is_found_where_it_begins(
    data: dict[str, Any], roots: tuple[str, ...], expected: list[str]
) -> None:
    assert sorted(outside(data, roots)) == expected


TREES = st.recursive(st.just(1), lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3), max_leaves=9)


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of each value that holds no other."""
    if not isinstance(value, dict) or not value:
        return [(*path, "") if value == {} else path]
    return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]


@given(st.dictionaries(st.sampled_from("abc"), TREES, min_size=1, max_size=3), st.lists(PATHS.filter(bool), max_size=4))
def test_every_value_is_below_a_root_or_found(data: dict[str, Any], roots: list[list[str]]) -> None:
    """An empty object may also stand above one."""
    owned = [tuple(root) for root in roots]
    above = {root[:depth] for root in owned for depth in range(len(root))}
    strays = [
        leaf
        for leaf in leaves(data)
        if not any(leaf[: len(root)] == root for root in owned) and not (leaf[-1] == "" and leaf[:-1] in above)
    ]
    found = list(outside(data, tuple(map("/".join, roots))))
    assert bool(found) is bool(strays)
    assert all(any("/".join(leaf).startswith(path) for path in found) for leaf in strays)
