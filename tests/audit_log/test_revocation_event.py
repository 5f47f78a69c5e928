"""A revocation's audit event as a line of JSON."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_log.event import MAX_FIELD
from audit_log.revocation_event import SCHEMA, RevocationEvent
from audit_log.sink import LineSink

EVENT = RevocationEvent(
    time=1_763_870_417.25,
    action="revoke",
    change="1763870417000-0",
    kind="user",
    value="alice",
    issuer="https://idp.example",
    by="root",
    reason="stolen laptop",
    since=1_763_870_417.0,
    until=1_763_874_017.0,
    issued_before=1_763_870_000.0,
)


def test_it_tells_who_what_and_why() -> None:
    """In a fixed order, under a schema of its own."""
    assert list(json.loads(EVENT.to_json()).items()) == [
        ("schema", SCHEMA),
        ("time", "2025-11-23T04:00:17.250000+00:00"),
        ("action", "revoke"),
        ("change", "1763870417000-0"),
        ("kind", "user"),
        ("value", "alice"),
        ("issuer", "https://idp.example"),
        ("by", "root"),
        ("reason", "stolen laptop"),
        ("since", "2025-11-23T04:00:17.000000+00:00"),
        ("until", "2025-11-23T05:00:17.000000+00:00"),
        ("issued_before", "2025-11-23T03:53:20.000000+00:00"),
    ]


def test_what_is_not_said_is_null() -> None:
    """Not the text `None`."""
    document = json.loads(dataclasses.replace(EVENT, issuer=None, until=None, issued_before=None).to_json())
    assert (document["issuer"], document["until"], document["issued_before"]) == (None, None, None)


@pytest.mark.parametrize("name", ["change", "kind", "value", "issuer", "by", "reason"])
@given(text=st.text(max_size=2000))
def test_any_text_is_one_bounded_line_of_ascii(name: str, text: str) -> None:
    """Whatever an operator or an issuer has written."""
    line = dataclasses.replace(EVENT, **{name: text}).to_json()  # type: ignore[arg-type]
    assert line.isascii()
    assert "\n" not in line
    kept = json.loads(line)[name]
    assert kept == (text if len(text) <= MAX_FIELD else text[: MAX_FIELD - 1] + "…")


def test_it_goes_the_way_of_every_event() -> None:
    """Through the same queue to the same stream."""
    stream = io.StringIO()
    sink = LineSink(stream)
    sink.record(EVENT)
    sink.close()
    assert json.loads(stream.getvalue())["schema"] == SCHEMA
