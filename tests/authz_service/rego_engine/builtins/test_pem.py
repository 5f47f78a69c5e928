"""PEM blocks."""

from __future__ import annotations

import base64
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import pem


def block(label: str, data: bytes) -> str:
    """Write a block."""
    body = "\n".join(textwrap.wrap(base64.b64encode(data).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


@given(st.lists(st.tuples(st.sampled_from(["CERTIFICATE", "PUBLIC KEY"]), st.binary(max_size=90)), max_size=4))
def test_blocks_come_in_their_order(found: list[tuple[str, bytes]]) -> None:
    text = "before\n".join(block(label, data) for label, data in found)
    assert [(one.label, one.octets) for one in pem.blocks(text)] == found


def test_a_block_ends_after_its_line() -> None:
    """What stands after it can be told from nothing."""
    text = block("X", b"a")
    assert [one.end for one in pem.blocks(text + text)] == [len(text), 2 * len(text)]
    assert next(pem.blocks(text.rstrip())).end == len(text) - 1
    assert next(pem.blocks(text + "more")).end == len(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-----BEGIN A-----\nYQ==\n-----END B-----\n", []),
        ("-----BEGIN A-----\nYQ==\n", []),
        ("YQ==\n-----END A-----\n", []),
        ("-----BEGIN A-----\n!!\n-----END A-----\n-----BEGIN B-----\nYg==\n-----END B-----", [b"b"]),
        ("-----BEGIN A-----\nYQ==\n-----BEGIN B-----\nYg==\n-----END B-----\n", [b"b"]),
        (" -----BEGIN A-----\nYQ==\n-----END A-----\n", []),
        ("-----BEGIN A-----\nProc-Type: x\nDEK: y\n\nYQ==\n-----END A-----\n", [b"a"]),
        ("-----BEGIN A-----\r\nYQ ==\r\n-----END A-----  \r\n", [b"a"]),
        ("-----BEGIN A-----\n-----END A-----", [b""]),
        ("", []),
    ],
)
def test_what_is_broken_is_passed_over(text: str, found: list[bytes]) -> None:
    assert [one.octets for one in pem.blocks(text)] == found


@given(st.text(st.sampled_from("-BEGIND A\n=Y:")))
def test_no_text_whatever_breaks_the_reading(text: str) -> None:
    assert all(one.end <= len(text) for one in pem.blocks(text))
