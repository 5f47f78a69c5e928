"""Bundles as a whole: verified, then read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz_service.policy.bundles.archive import MAX_ARCHIVE_BYTES
from authz_service.policy.bundles.bundle import Bundle, read_bundle, read_bundle_folder, read_bundle_path
from authz_service.policy.bundles.keys import SignatureTerms
from service_kit.faults import ConfigurationError
from tests.authz_service.minting import key
from tests.authz_service.policy.bundles.bundling import FILES, PLAN, archive, signed, terms

CANONICAL = {**FILES, "data.json": b'{"teams":{}}', ".manifest": b'{"revision":"r1","roots":["teams"]}'}


def unpacked(root: Path, files: Mapping[str, bytes]) -> Path:
    """The files in a folder."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def faults(files: Mapping[str, bytes], asked: SignatureTerms | None = None) -> list[str]:
    """Why a bundle is refused."""
    with pytest.raises(ConfigurationError) as caught:
        read_bundle(archive(files), "b", asked)
    return [str(fault) for fault in caught.value.faults]


def bundle(changes: Mapping[str, bytes | None] | None = None) -> Bundle:
    """A bundle with some files changed or left out."""
    files = {**FILES, **(changes or {})}
    return read_bundle(archive({name: content for name, content in files.items() if content is not None}), "b")


def test_a_bundle_is_its_plan_and_its_data() -> None:
    read = bundle()
    assert read.plan == PLAN
    assert read.data == {"teams": {"red": ["alice"]}}
    assert read.roots == ("teams",)
    assert read.files == FILES


def test_a_folder_is_the_same_bundle(tmp_path: Path) -> None:
    assert read_bundle_folder(unpacked(tmp_path, FILES)) == bundle()


def test_a_bundle_does_not_change() -> None:
    read = bundle()
    with pytest.raises(AttributeError):
        read.revision = "x"  # type: ignore[misc]


def test_a_bundle_of_a_plan_alone_is_enough() -> None:
    read = read_bundle(archive({"plan.json": PLAN}), "b")
    assert (read.data, read.roots, len(read.revision)) == ({}, ("",), 12)


# The revision


def test_the_revision_has_the_manifests_word_and_a_digest() -> None:
    name, _, digest = bundle().revision.partition("@")
    assert name == "r1"
    assert len(digest) == 12
    assert set(digest) <= set("0123456789abcdef")


def test_the_revision_changes_exactly_with_the_contents(tmp_path: Path) -> None:
    """Not with the order, the packing or the signature."""
    first = bundle().revision
    assert read_bundle(archive(dict(reversed(list(FILES.items()))), prefix="./"), "other").revision == first
    assert read_bundle(archive(signed(FILES)), "b").revision == first
    assert read_bundle_folder(unpacked(tmp_path, FILES)).revision == first
    changes: list[dict[str, bytes | None]] = [
        {"plan.json": b"{}"},
        {"data.json": b'{"teams":{"red":["alice"]}}'},
        {"authz/main.rego": None},
        {"authz/main.rego": None, "authz/main2.rego": FILES["authz/main.rego"]},
        {"x": b""},
        {"x": b"", "y": b""},
        {"x": b"y"},
        {".manifest": None},
    ]
    assert len({first, *(bundle(change).revision for change in changes)}) == len(changes) + 1


# What a bundle must not be


def test_a_bundle_without_a_plan_says_how_to_make_one() -> None:
    expected = "b: has no plan.json: it must be made by `opa build -t plan`, with each rule to ask for as -e"
    assert faults({"data.json": b"{}", "policy.wasm": b"x", "plan.pb": b"x", "sub/plan.json": b"{}"}) == [expected]
    assert faults({}) == [expected]


def test_a_delta_bundle_is_refused() -> None:
    assert "b: is a delta bundle, and only whole bundles can be read here" in faults({"patch.json": b'{"data":[]}'})


def test_data_outside_the_roots_is_refused() -> None:
    manifest = b'{"roots": ["teams/red", "x"]}'
    assert faults({**FILES, ".manifest": manifest, "teams/blue/data.json": b"1", "data.yaml": b"y: 1\n"}) == [
        "b: has data at 'teams/blue', which is in none of its manifest's roots",
        "b: has data at 'y', which is in none of its manifest's roots",
    ]


def test_much_data_outside_the_roots_does_not_fill_the_log() -> None:
    data = json.dumps({f"k{number}": 1 for number in range(5000)}).encode()
    assert len(faults({**FILES, "data.json": data})) == 100


def test_long_keys_and_many_clashes_do_not_fill_the_log_either() -> None:
    keys = json.dumps({"k" * 1_000: 1, **dict.fromkeys(map(str, range(5000)), 1)}).encode()
    found = faults({"data.json": keys, "data.yaml": keys, "plan.json": PLAN})
    assert len(found) == 100
    assert max(map(len, found)) < 600


NAMES = st.sampled_from(["plan.json", "data.json", "a/data.json", "data.yaml", ".manifest", ".signatures.json", "a/b"])
CONTENTS = st.binary(max_size=20) | st.sampled_from(
    [
        b"{}", b"[]", b"1", b"null", b'"a"', b'{"a": {"b": 1}}', b"[" * 2000, b"a: 1", b"a: [1.5, &x {}, *x]",
        b"a: .inf", b'{"roots": ["a"]}', b'{"revision": {}, "roots": [[]]}', b'{"signatures": ["a.b.c"]}',
        b'{"signatures": [[]]}',
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(NAMES, CONTENTS), st.booleans())
def test_any_files_end_in_a_bundle_or_in_faults(files: dict[str, bytes], is_signed: bool) -> None:  # noqa: FBT001  (drawn)
    try:
        read = read_bundle(archive(files), "b", terms() if is_signed else None)
    except ConfigurationError:
        return
    assert read.plan == files["plan.json"]
    assert not is_signed


def test_every_fault_is_told_at_once() -> None:
    found = faults({"data.json": b"{\n", "a/data.yaml": b"k: 1\nk: 2\n", ".manifest": b'{"roots": ["a", "a/b"]}'})
    assert len(found) == 4
    assert "b/a/data.yaml:2: repeated key 'k'" in found


# Signatures


def test_a_signed_bundle_is_read_by_its_key() -> None:
    content = archive(signed(CANONICAL))
    assert read_bundle(content, "b", terms()) == read_bundle(content, "b")


def test_a_bundle_that_is_not_signed_as_asked_is_refused() -> None:
    assert faults(CANONICAL, terms()) == ["b: is not signed: it has no .signatures.json (`opa build --signing-key`)"]
    assert "does not hold" in faults(signed(CANONICAL, key(number=1)), terms())[0]


def test_nothing_is_read_of_a_bundle_that_does_not_hold() -> None:
    """Its other faults would be those of whoever changed it."""
    changed = {**signed(CANONICAL), "data.yaml": b"\xff", "a/.manifest": b"x"}
    assert faults(changed, terms()) == [
        "b/a/.manifest: is not signed: .signatures.json does not list it",
        "b/data.yaml: is not signed: .signatures.json does not list it",
    ]


def test_without_a_key_a_signature_is_passed_over() -> None:
    assert read_bundle(archive({**FILES, ".signatures.json": b"nonsense"}), "b").files == FILES


# From a path


def test_a_path_is_a_file_or_a_folder(tmp_path: Path) -> None:
    verification = {"keys": {"k1": {"key": key().public_pem().decode(), "algorithm": "ES256"}}}
    folder = unpacked(tmp_path / "b", signed(CANONICAL))
    file = tmp_path / "b.tar.gz"
    file.write_bytes(archive(signed(CANONICAL)))
    assert read_bundle_path(folder, verification) == read_bundle_path(file, verification)
    assert read_bundle_path(file, {}) == read_bundle_path(file, verification)


@pytest.mark.parametrize(
    ("name", "verification", "expected"),
    [
        ("absent.tar.gz", {}, "cannot be read: No such file or directory"),
        ("plain.tar.gz", {}, "is not a gzip file, or a damaged one"),
        ("huge.tar.gz", {}, f"is larger than {MAX_ARCHIVE_BYTES} bytes"),
        ("nul\0.tar.gz", {}, "cannot be read: its name is none"),
        ("good.tar.gz/x", {}, "cannot be read: Not a directory"),
        ("good.tar.gz", {"keys": {}}, "the verification of bundles has no keys"),
        ("good.tar.gz", {"keys": {"k1": {"key": key().public_pem().decode(), "algorithm": "ES256"}}}, "is not signed"),
    ],
)
def test_what_cannot_be_read_from_a_path_is_a_fault(
    tmp_path: Path, name: str, verification: dict[str, Any], expected: str
) -> None:
    (tmp_path / "good.tar.gz").write_bytes(archive(FILES))
    (tmp_path / "plain.tar.gz").write_text("plain")
    with (tmp_path / "huge.tar.gz").open("wb") as file:
        file.truncate(MAX_ARCHIVE_BYTES + 1)
    with pytest.raises(ConfigurationError, match=expected) as caught:
        read_bundle_path(tmp_path / name, verification)
    assert caught.value.faults[0].source == str(tmp_path / name)


def test_a_tar_file_that_is_not_packed_is_a_fault() -> None:
    with pytest.raises(ConfigurationError, match="not a gzip file"):
        read_bundle(gzip.decompress(archive(FILES)), "b")
