"""Exchanges are looked at by the rules of the configuration and of the policy, with the detectors that ship."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from authz_service.deep_scan.note import Note
from authz_service.dlp.actions import Action, Direction, Rule
from authz_service.dlp.codings import CodingError
from authz_service.dlp.found import Blocked
from authz_service.dlp.terms import open_terms
from authz_service.exchange.bodies import ScannedBodies, ScannedExchange
from authz_service.exchange.events import UNCHANGED, Fields
from authz_service.exchange.inspection import Subject
from authz_service.exchange.refusals import RefusedError, UnexpectedError
from authz_service.exchange.sampling import Sampling
from authz_service.model import Location
from authz_service.settings.dlp import DlpSettings

REQUEST, RESPONSE = Direction.REQUEST, Direction.RESPONSE
SSN = "123-45-6789"
QUOTED = f'"{SSN}"'
ASKED: Fields = [(":method", "POST"), (":authority", "api.example"), (":path", "/a?b=c")]
JSON: Fields = [("content-type", "application/json")]


def _begin(*rules: Rule, **metadata: Any) -> ScannedExchange:
    return ScannedBodies(open_terms(DlpSettings(actions=rules)), "block").inspect(Subject("d-1", "", metadata))


def _body(
    exchange: ScannedExchange, text: str, direction: Direction = REQUEST, fields: Fields = JSON, asked: Fields = ASKED
) -> bytes:
    redactor = exchange.open(direction, fields, asked)
    return redactor.feed(text.encode()) + redactor.finish()


def _told(exchange: ScannedExchange, direction: Direction) -> Sequence[tuple[str, str, str]]:
    return [(note.entity, note.location, note.action) for note in exchange.findings(direction)]


def test_a_body_is_redacted_and_its_direction_told_of_it() -> None:
    exchange = _begin()
    assert _body(exchange, f'{{"a": "{SSN}"}}') == b'{"a": "[REDACTED:us_ssn]"}'
    assert _told(exchange, REQUEST) == [("us_ssn", "body", "replace")]
    assert _told(exchange, RESPONSE) == []


@pytest.mark.parametrize("direction", [REQUEST, RESPONSE])
def test_a_value_that_is_split_over_events_is_redacted_where_deltas_are_joined(direction: Direction) -> None:
    events = 'data: {"delta": "123-45"}\n\ndata: {"delta": "-6789"}\n\n'
    bodies = ScannedBodies(open_terms(DlpSettings()), "block", joined=["delta"])
    for content_type in ("text/event-stream", "application/x-ndjson"):
        exchange = bodies.inspect(Subject("d-1"))
        fields = [("content-type", content_type)]
        text = events if content_type == "text/event-stream" else events.replace("data: ", "").replace("\n\n", "\n")
        redacted = text.replace("123-45", "[REDACTED:us_ssn]").replace("-6789", "")
        assert _body(exchange, text, direction, fields).decode() == redacted
        assert _told(exchange, direction) == [("us_ssn", "body", "replace")]
        assert _body(_begin(), text, direction, fields).decode() == text
    assert (
        _body(bodies.inspect(Subject("d-1")), f'{{"delta": "{SSN}"}}', direction) == b'{"delta": "[REDACTED:us_ssn]"}'
    )


def test_the_policy_has_the_last_word() -> None:
    allowed = _begin(dlp={"request": {"us_ssn": "allow"}})
    assert SSN.encode() in _body(allowed, QUOTED)
    assert SSN.encode() not in _body(allowed, QUOTED, RESPONSE)
    assert _told(allowed, REQUEST) == []
    with pytest.raises(Blocked, match="secret_in_response"):
        _body(_begin(dlp={"response": {"*": "block"}}), QUOTED, RESPONSE)


def test_metadata_that_no_policy_can_have_written_is_unexpected() -> None:
    with pytest.raises(UnexpectedError):
        _begin(dlp={"us_ssn": "whatever"})


def test_headers_of_a_response_and_trailers_are_looked_at_and_headers_of_a_request_are_not_again() -> None:
    exchange = _begin()
    fields = [("x-note", SSN), ("content-length", "9")]
    assert exchange.change(REQUEST, fields, ASKED, trailers=False) == UNCHANGED
    changed = (("x-note", "[REDACTED:us_ssn]"),)
    assert exchange.change(RESPONSE, fields, ASKED, trailers=False).set == changed
    assert exchange.change(REQUEST, fields, ASKED, trailers=True).set == changed
    assert _told(exchange, REQUEST) == [("us_ssn", "trailer", "replace")]
    assert _told(exchange, RESPONSE) == [("us_ssn", "header", "replace")]


def test_a_header_that_blocks_does_so() -> None:
    exchange = _begin(Rule(Action.BLOCK, locations=frozenset({Location.HEADER})))
    with pytest.raises(Blocked, match="secret_in_response"):
        exchange.change(RESPONSE, [("x-note", SSN)], ASKED, trailers=False)


@pytest.mark.parametrize("name", ["host", "content-length", "transfer-encoding"])
def test_what_cannot_be_rewritten_among_trailers_is_refused_with_a_finding(name: str) -> None:
    for direction in (REQUEST, RESPONSE):
        assert _begin().change(direction, [(name, "9")], ASKED, trailers=True) == UNCHANGED
        with pytest.raises(Blocked, match="secret_in_fixed_place"):
            _begin().change(direction, [(name, SSN)], ASKED, trailers=True)


def test_a_host_among_the_headers_of_a_response_is_looked_at() -> None:
    assert _begin().change(RESPONSE, [("host", "api.example")], ASKED, trailers=False) == UNCHANGED
    with pytest.raises(Blocked, match="secret_in_fixed_place"):
        _begin().change(RESPONSE, [("host", SSN)], ASKED, trailers=False)


def test_nothing_is_rewritten_in_messages_that_hold_lengths() -> None:
    grpc = [("content-type", "application/grpc")]
    assert _body(_begin(), "\0\0\0\0\4text", fields=grpc) == b"\0\0\0\0\4text"
    for text in (SSN, SSN.replace("-", "\u2011"), SSN.replace("1", "\\u0031")):  # read as elsewhere
        with pytest.raises(Blocked):
            _body(_begin(), text, fields=grpc)
    assert _body(_begin(dlp={"us_ssn": "report"}), SSN, fields=grpc) == SSN.encode()


def test_a_card_number_with_many_zeros_behind_its_point_blocks() -> None:
    for zeros in (1, 40, 70, 500):
        with pytest.raises(Blocked, match="secret_in_fixed_place"):
            _body(_begin(), f'{{"n":4786344436638369.{"0" * zeros}}}')


def test_json_that_is_called_grpc_is_read_as_json_too() -> None:
    fields = [("content-type", "application/grpc-web")]
    body = '{"u": "postgres:\\/\\/app:aljm44dHOw9B5K47SRg2@db.internal:5432\\/main"}'
    assert "aljm44" not in _body(_begin(), body, RESPONSE, fields).decode()


def test_an_answer_without_a_request_is_looked_at() -> None:
    assert SSN.encode() not in _body(_begin(), QUOTED, RESPONSE, asked=())


def test_a_target_that_ext_authz_refuses_is_refused() -> None:
    with pytest.raises(RefusedError, match="target_refused"):
        _begin().open(REQUEST, JSON, [(":path", "/a/%2e%2e/%2e%2e/b")])


def test_a_long_query_is_not_a_matter_of_rules() -> None:
    assert _body(_begin(), "x", asked=[(":path", "/?" + "x" * 100_000)]) == b"x"


def test_a_body_in_utf_16_is_redacted_in_its_encoding_and_one_that_cannot_be_read_is_refused() -> None:
    redactor = _begin().open(RESPONSE, [("content-type", "text/plain; charset=utf-16")], ASKED)
    assert redactor.feed(SSN.encode("utf-16")) + redactor.finish() == "[REDACTED:us_ssn]".encode("utf-16")
    with pytest.raises(CodingError, match="unknown_charset"):
        _begin().open(REQUEST, [("content-type", "text/plain; charset=utf-7")], ASKED)
    beside = _begin().open(REQUEST, [("content-type", "text/plain; charset=utf-16le")], ASKED)
    with pytest.raises(Blocked, match="secret_in_fixed_place"):
        _ = beside.feed(SSN.encode() + b" "), beside.finish()


def test_what_has_passed_of_a_body_is_handed_over_when_it_is_cut_off() -> None:
    offered: list[tuple[Note, bytes]] = []

    class Offered:
        def offer(self, note: Note, body: bytes) -> None:
            offered.append((note, body))

    sampling = Sampling(Offered(), frozenset({"response"}), frozenset(), 100_000, lambda: 7.0)
    exchange = ScannedBodies(open_terms(DlpSettings()), "block", sampling).inspect(Subject("d-1"))
    text = [("content-type", "text/plain")]
    exchange.open(REQUEST, text, ASKED).feed(b"not asked for. ")
    passed = exchange.open(RESPONSE, text, ASKED).feed(f"hers is {SSN}. ".encode() + b"and so on. " * 2_000)
    for direction in Direction:
        exchange.cut_off(direction)
    ((note, sample),) = offered
    assert (note.direction, note.complete, sample) == ("response", False, passed)
    assert SSN.encode() not in sample
    assert b"hers is " in sample


@pytest.mark.parametrize(("action", "members"), [(Action.REPLACE, 1), (Action.MASK, 1), (Action.HASH, 2)])
def test_names_of_members_stay_different_where_what_stands_for_them_does(action: Action, members: int) -> None:
    """The others become one name, of which a parser keeps the last member: what docs/dlp-bodies.md tells."""
    found = json.loads(_body(_begin(Rule(action)), f'{{"{SSN}": 1, "219-09-6789": 2}}'))
    assert len(found) == members
    assert SSN not in str(found)


def test_a_part_in_utf_16_is_looked_at_both_ways() -> None:
    for content in (SSN.encode("utf-16"), SSN.encode() + b"\0"):
        redactor = _begin().open(REQUEST, [("content-type", "multipart/form-data; boundary=b")], ASKED)
        head = b"--b\r\ncontent-type: text/plain; charset=utf-16le\r\n\r\n"
        with pytest.raises(Blocked, match="secret_in_fixed_place"):
            _ = redactor.feed(head + content + b"\r\n--b--"), redactor.finish()
