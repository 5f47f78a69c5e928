"""Values of MCP's headers, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.mcp_values import BEGIN, END, read_value, write_value


@given(st.text(max_size=40) | st.sampled_from(["=?base64?YQ==?=", "=?base64?", "=?base64?=", " a", "a\t"]))
def test_what_is_written_reads_as_it_was(value: str) -> None:
    written = write_value(value)
    assert written.isascii()
    assert written.isprintable()
    assert read_value(written) == value


@pytest.mark.parametrize("broken", ["Y", "Y=", "/w==", "YQ=", "Y Q==", "YQ==YQ==", "-_-_", "ÿÿÿÿ"])
def test_what_is_broken_says_nothing(broken: str) -> None:
    """Some readers would take it as it stands, and some as what it may stand for."""
    assert read_value(f"{BEGIN}{broken}{END}") is None


@pytest.mark.parametrize("plain", ["a", "=?base64?=", "=?base64?YQ==", "=?BASE64?YQ==?=", "=?utf-8?B?YQ==?=", ""])
def test_what_is_not_said_to_be_base64_is_as_it_stands(plain: str) -> None:
    assert read_value(f" {plain}\t") == plain
