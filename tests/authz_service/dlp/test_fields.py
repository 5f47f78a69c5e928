"""Short texts with findings."""

from __future__ import annotations

import base64
import functools

from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.actions import Action, Direction, Rule
from authz_service.dlp.detectors import ALL
from authz_service.dlp.fields import Blocks, Field, field_of, split
from authz_service.dlp.scan import Span
from authz_service.dlp.terms import Terms
from authz_service.dlp.treatments import Exchange
from authz_service.model import Location
from authz_service.policy.target import Target
from tests.authz_service.dlp.inspecting import ALICE, SSN, USUAL, terms

ONE = ALL[0]
SPANS = st.lists(st.integers(0, 20), max_size=8, unique=True).map(
    lambda ends: [Span(start, end, ONE) for start, end in zip(sorted(ends)[::2], sorted(ends)[1::2], strict=False)]
)


@functools.cache
def under(action: Action) -> Terms:
    """Terms under which this is done with whatever is found. A scanner takes long to make."""
    return terms(Rule(action), replacement="#")


def exchange(action: Action) -> Exchange:
    return under(action).treatments.exchange("GET", "api.example", Target("/", "", "/"), ALICE)


def field(text: bytes, spans: list[Span]) -> Field:
    found = field_of(text, spans, Location.HEADER, str, None)
    assert found is not None
    return found


def test_a_text_without_findings_is_no_field() -> None:
    assert field_of(b"abc", [], Location.HEADER, str, USUAL.scanner) is None


@given(SPANS.filter(bool))
def test_each_finding_is_treated_and_what_is_between_stays(spans: list[Span]) -> None:
    """In the order of the text, named by where it begins."""
    text = b"abcdefghijklmnopqrst"
    one = field(text, spans)
    expected = "".join(
        "#" if any(span.start == place for span in spans) else chr(text[place])
        for place in range(len(text))
        if not any(span.start < place < span.end for span in spans)
    )
    to = exchange(Action.REPLACE)
    assert one.treated(to, Direction.REQUEST, Blocks()).decode() == expected
    assert [finding.name for finding in to.notes.findings] == [str(span.start) for span in spans]
    assert one.treated(exchange(Action.ALLOW), Direction.REQUEST, Blocks()) == text
    assert not one.noted(exchange(Action.REPORT), Direction.REQUEST)
    assert one.noted(exchange(Action.MASK), Direction.REQUEST)


def test_what_stands_in_base64_is_treated_there() -> None:
    """And what stands beside it, beside it."""
    text = b"a " + base64.b64encode(f"key {SSN}".encode()) + b" " + SSN.encode()
    one = field_of(text, USUAL.scanner.scan(text), Location.HEADER, str, USUAL.scanner)
    assert one is not None
    to = exchange(Action.REPLACE)
    assert one.treated(to, Direction.REQUEST, Blocks()) == b"a " + base64.b64encode(b"key #") + b" #"
    assert [finding.name for finding in to.notes.findings] == ["23", "2"]
    assert one.treated(exchange(Action.ALLOW), Direction.REQUEST, Blocks()) == text
    assert one.noted(exchange(Action.REMOVE), Direction.REQUEST)


def test_what_blocks_is_told_with_all_the_rest() -> None:
    """The first reason counts."""
    one, blocks, to = field(b"abcd", [Span(0, 1, ONE), Span(2, 3, ONE)]), Blocks(), exchange(Action.BLOCK)
    one.treated(to, Direction.RESPONSE, blocks)
    blocks.add("another")
    assert blocks.code == "secret_in_response"
    assert [finding.action for finding in to.notes.findings] == ["block", "block"]
    noted = Blocks()
    assert one.noted(exchange(Action.BLOCK), Direction.REQUEST, noted)
    assert noted.code == "secret_in_request"


@given(SPANS, st.integers(0, 18), st.integers(1, 2))
def test_findings_of_a_name_and_its_value_are_told_apart(spans: list[Span], end: int, between: int) -> None:
    """One that reaches over both is in both, and no byte of either is lost."""
    of_name, of_value = split(spans, end, end + between)
    struck = {place for span in spans for place in range(span.start, span.end)}
    in_name = {place for span in of_name for place in range(span.start, span.end)}
    in_value = {place + end + between for span in of_value for place in range(span.start, span.end)}
    assert in_name == {place for place in struck if place < end}
    assert in_value == {place for place in struck if place >= end + between}
    assert all(0 <= span.start < span.end for span in [*of_name, *of_value])
