"""Digests of files as OPA's signatures have them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.bundles import digests
from authz_service.policy.bundles.digests import ALGORITHMS, canonical_text, file_digest
from authz_service.policy.bundles.json_reading import JsonError, read_literally


@pytest.mark.parametrize(
    ("name", "content", "digest"),
    [
        (
            "a/data.json",
            b'{ "b": [1.0, 1e3, -0, 1.50],\n "a": "x\\u2028<&>\\u007f\\b\\u000b\\u00e9\\/" }',
            "a06e7337978a1bf976430f93ae9e38d59e8a26200eee31b8f61cd5727f14c396",
        ),
        (
            "b/data.json",
            b'{"\\ud83d\\ude00": 1, "\xef\xbf\xbf": 2, "z": {}, "": []}',
            "d8037a2f12ff751f26e258ed505076c8cefa9ab867cd4386db35a8b5324147e1",
        ),
        (
            "c/data.yaml",
            b"# data\nb: [1.5, 2.0, 0.00000001, 1.5e+30]\na: {day: 2024-01-01, none: ~, true: true, n: 0x10}\n",
            "7a6b33ec5a33ab025a2b64423f7a8f1c58fa39ff0c022eadbbb45ad1b36a98ba",
        ),
        (
            ".manifest",
            b' {"roots": ["a"], "revision": "r"}\n',
            "f908fb0af79e7fd31ff194cfd93009c94d81b280d1b71621812581ecf8618974",
        ),
        (
            "d/plan.json",
            b' {"static": {}}\n',
            "6f68529acce380427f1f2dc5cb205b9c9d0c9f194b8f806b47377ece58e73f6c",
        ),
    ],
)
def test_digests_are_those_that_opa_signs(name: str, content: bytes, digest: str) -> None:
    """As `opa sign` 1.22 writes them for these files."""
    assert file_digest(name, content, "SHA-256").hex() == digest


def test_only_data_and_manifests_are_taken_by_value() -> None:
    """Spaces and the order of keys change other files."""
    one, other = b'{"a": 1, "b": 2}', b'{"b":2,"a":1}'
    for name in ("data.json", "x/data.json", ".manifest"):
        assert file_digest(name, one, "SHA-256") == file_digest(name, other, "SHA-256")
    for name in ("plan.json", "x/plan.json", "xdata.json", "a.rego", "x.manifest"):
        assert file_digest(name, one, "SHA-256") != file_digest(name, other, "SHA-256")


@pytest.mark.parametrize(("algorithm", "size"), [("SHA-224", 28), ("SHA-256", 32), ("SHA-384", 48), ("SHA-512", 64)])
def test_each_algorithm_is_its_own(algorithm: str, size: int) -> None:
    assert len(file_digest("x", b"", algorithm)) == size
    assert file_digest("x", b"a", algorithm) == hashlib.new(algorithm.replace("-", "").lower(), b"a").digest()


def test_algorithms_with_known_collisions_are_none() -> None:
    assert not {"MD5", "SHA-1"} & ALGORITHMS.keys()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
)


@given(VALUES, VALUES)
def test_two_values_have_one_text_only_when_they_are_one(left: Any, right: Any) -> None:
    one, other = (read_literally(json.dumps(value).encode()) for value in (left, right))
    assert (canonical_text(one) == canonical_text(other)) is (
        json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    )


@given(VALUES)
def test_the_text_is_json_of_the_same_value(value: Any) -> None:
    assert json.loads(canonical_text(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "-0"), (2.0, "2"), (0.5, "0.5"), (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e-10, "1.5e-10"),
        (1e20, "100000000000000000000"), (1e21, "1e+21"), (1.5e300, "1.5e+300"), (123456.789, "123456.789"),
    ],
)  # fmt: skip
def test_a_float_of_yaml_is_written_as_go_writes_it(value: float, text: str) -> None:
    assert canonical_text(value) == text


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [("data.json", b"{\n}x", 2), (".manifest", b"a: 1", 1), ("data.yaml", b"a: 1\na: 2", 2), ("data.yml", b"- 1", 1)],
)
def test_what_cannot_be_read_has_no_digest(name: str, content: bytes, line: int) -> None:
    """OPA takes a `data.json` in YAML for the same; its value would depend on the reader."""
    with pytest.raises(JsonError) as caught:
        file_digest(name, content, "SHA-256")
    assert caught.value.line == line


def test_a_structured_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "MAX_DATA_BYTES", 3)
    with pytest.raises(JsonError, match="larger than 3 bytes"):
        file_digest("data.json", b"{  }", "SHA-256")
