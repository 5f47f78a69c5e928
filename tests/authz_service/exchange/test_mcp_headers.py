"""Headers that mirror an argument change with it; an opaque value never changes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from authz_service.dlp.found import Blocked
from authz_service.exchange.mcp_headers import mirrored


def _call(**arguments: Any) -> bytes:
    return json.dumps({"method": "tools/call", "params": {"name": "t", "arguments": arguments}}).encode()


def _in_base64(text: str) -> str:
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def test_a_header_that_mirrors_a_value_follows_it() -> None:
    fields = [("mcp-param-user", "123"), ("mcp-param-other", "456"), ("x-user", "123"), ("mcp-name", "t")]
    before, after = _call(a={"b": ["123"]}, c="456"), _call(a={"b": ["***"]}, c="456")
    assert mirrored(fields, before, after) == [("mcp-param-user", "***")]


def test_a_value_in_base64_is_read_and_written_so_where_it_must_be() -> None:
    fields = [("mcp-param-a", _in_base64("größe 1")), ("mcp-param-b", _in_base64("b"))]
    before, after = _call(x="größe 1", y="b"), _call(x="größe *", y="*")
    assert mirrored(fields, before, after) == [("mcp-param-a", _in_base64("größe *")), ("mcp-param-b", "*")]


def test_a_number_is_mirrored_as_it_is_written() -> None:
    assert mirrored([("mcp-param-n", "42")], _call(n=42), _call(n="[gone]")) == [("mcp-param-n", "[gone]")]


def test_the_name_of_a_resource_follows_too() -> None:
    before, after = (json.dumps({"params": {"uri": f"file:///{name}"}}).encode() for name in ("ann", "x"))
    assert mirrored([("mcp-name", "file:///ann")], before, after) == [("mcp-name", "file:///x")]


def test_a_key_that_changes_keeps_its_place() -> None:
    assert mirrored([("mcp-param-k", "v")], _call(k="v"), _call(gone="w")) == [("mcp-param-k", "w")]


def test_a_body_that_is_not_read_changes_no_header() -> None:
    assert mirrored([("mcp-param-k", "v")], b"v", b"w") == ()
    assert mirrored([("x-k", "v")], _call(k="v"), _call(k="w")) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"params": {"requestState": "abc"}}', b'{"params": {"requestState": "xyz"}}'),
        (b'{"a": [{"requestState": {"b": "abc"}}]}', b'{"a": [{"requestState": {"b": "xyz"}}]}'),
        (b"requestState not JSON", b"requestState other"),
    ],
)
def test_an_opaque_value_that_would_change_blocks(before: bytes, after: bytes) -> None:
    with pytest.raises(Blocked, match="opaque_state"):
        mirrored((), before, after)


def test_one_that_does_not_change_does_not() -> None:
    before, after = (b'{"requestState": "s", "a": "%s"}' % value for value in (b"b", b"c"))
    assert mirrored([("mcp-param-a", "b")], before, after) == [("mcp-param-a", "c")]
