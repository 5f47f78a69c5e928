"""An exchange takes events in their order, and after an answer does nothing any more."""

from __future__ import annotations

import json

import pytest
import zstandard

from audit_log.event import FindingNote
from authz_service.denials import Denials
from authz_service.exchange.body import FREE_WINDOW, Terms
from authz_service.exchange.events import Answer, BodyCame, BodyGoes, Event, HeadersGo, Mode, Record
from authz_service.exchange.inspection import Subject
from authz_service.exchange.machine import Exchange, Modes
from authz_service.exchange.refusals import UnexpectedError
from tests.authz_service.exchange.fixed_bodies import FORBIDDEN, SECRET, FixedInspection
from tests.authz_service.exchange.playing import (
    REQUEST,
    RESPONSE,
    answered,
    does,
    exchange,
    headers,
    parts,
    trailers,
)


def test_a_body_before_its_headers_is_unexpected() -> None:
    with pytest.raises(UnexpectedError):
        does(exchange(Mode.BUFFERED), *parts(REQUEST, b"x"))


def test_trailers_before_their_headers_are_unexpected() -> None:
    with pytest.raises(UnexpectedError):
        does(exchange(Mode.BUFFERED), trailers(REQUEST))


def test_headers_come_once() -> None:
    with pytest.raises(UnexpectedError):
        does(exchange(Mode.BUFFERED), headers(), headers())


@pytest.mark.parametrize("mode", [Mode.BUFFERED, Mode.STREAMED, Mode.FULL_DUPLEX])
def test_nothing_comes_after_the_end(mode: Mode) -> None:
    played = exchange(mode)
    does(played, headers(), *parts(REQUEST, b"x"))
    with pytest.raises(UnexpectedError):
        does(played, *parts(REQUEST, b"y"))
    with pytest.raises(UnexpectedError):
        does(played, trailers(REQUEST))


def test_a_body_that_passes_beside_us_is_not_shown_to_us() -> None:
    with pytest.raises(UnexpectedError):
        does(exchange(Mode.NONE), headers(), *parts(REQUEST, b"x"))


def test_an_answer_of_the_proxy_itself_comes_without_a_request() -> None:
    actions = does(exchange(Mode.FULL_DUPLEX, response=True), headers(RESPONSE), *parts(RESPONSE, b"denied"))
    assert [type(each) for each in actions] == [HeadersGo, BodyGoes]


def test_what_is_blocked_is_written_down_and_answered_and_nothing_follows() -> None:
    played = exchange(Mode.BUFFERED)
    actions = does(played, headers(), *parts(REQUEST, FORBIDDEN), headers(RESPONSE), *parts(RESPONSE, SECRET))
    assert actions[1] == Record(REQUEST, "secret_found", 403, [FindingNote("forbidden", "body", "", "block")])
    assert answered(actions) == (403, "secret_found")
    assert len(actions) == 3
    assert played.is_answered
    assert not played.is_open


def test_the_answer_names_the_decision_and_nothing_that_was_found() -> None:
    answer = does(exchange(Mode.BUFFERED), headers(), *parts(REQUEST, FORBIDDEN))[-1]
    assert isinstance(answer, Answer)
    assert json.loads(answer.body)["decision_id"] == "d-1"
    assert FORBIDDEN.decode() not in repr(answer)


def test_a_blocked_answer_to_an_mcp_call_bears_its_id() -> None:
    played = exchange(Mode.FULL_DUPLEX, other=Mode.BUFFERED, response=True)
    call = b'{"jsonrpc": "2.0", "id": 9, "method": "tools/call"}'
    events: list[Event] = [headers(REQUEST, ("mcp-method", "tools/call")), *parts(REQUEST, call), headers(RESPONSE)]
    answer = does(played, *events, *parts(RESPONSE, FORBIDDEN))[-1]
    assert isinstance(answer, Answer)
    assert (answer.status, json.loads(answer.body)["id"]) == (502, 9)


def test_a_long_request_is_not_kept_for_the_form_of_an_answer() -> None:
    played = exchange(Mode.FULL_DUPLEX)
    does(played, headers(), *parts(REQUEST, *[b"x" * 60_000] * 50, end=False))
    assert len(played._kept) <= 64 * 1024


def test_an_exchange_that_is_cut_off_tells_of_the_bodies_that_had_not_ended() -> None:
    played = exchange(Mode.FULL_DUPLEX, other=Mode.BUFFERED, response=True)
    does(played, headers(end=True), headers(RESPONSE), BodyCame(RESPONSE, SECRET + b" "))
    assert played.is_open
    assert list(played.cut_off("cut_off")) == [
        Record(RESPONSE, "cut_off", 0, [FindingNote("secret", "body", "", "replace")])
    ]


def test_a_whole_exchange_has_nothing_to_tell_when_it_is_cut_off() -> None:
    played = exchange(Mode.BUFFERED)
    does(played, headers(), *parts(REQUEST, SECRET), headers(RESPONSE))
    assert not played.is_open
    assert list(played.cut_off("cut_off")) == []


class TestBodiesThatAreCutOff:
    """The inspection hears of them once some may have passed."""

    @staticmethod
    def _played(mode: Mode, other: Mode = Mode.NONE) -> tuple[Exchange, FixedInspection]:
        inspection = FixedInspection(Subject("d-1"))
        return Exchange(Modes(mode, other), inspection, "d-1", Terms(), Denials()), inspection

    @pytest.mark.parametrize("mode", [Mode.STREAMED, Mode.FULL_DUPLEX])
    def test_one_that_streams_is_told(self, mode: Mode) -> None:
        played, inspection = self._played(mode)
        does(played, headers(), *parts(REQUEST, b"x", end=False))
        assert [each.code for each in played.cut_off("cut_off")] == ["cut_off"]
        assert inspection.cut == [REQUEST]

    @pytest.mark.parametrize("mode", [Mode.BUFFERED, Mode.STREAMED, Mode.FULL_DUPLEX])
    def test_one_of_which_nothing_has_passed_is_not(self, mode: Mode) -> None:
        played, inspection = self._played(mode)
        does(played, headers())
        assert len(list(played.cut_off("cut_off"))) == 1
        refused, other = self._played(mode)
        does(refused, headers(), *parts(REQUEST, FORBIDDEN))
        assert (inspection.cut, other.cut) == ([], [])

    def test_one_that_waits_behind_its_headers_has_not_passed(self) -> None:
        played, inspection = self._played(Mode.BUFFERED, Mode.FULL_DUPLEX)
        does(played, headers(RESPONSE, ("content-length", "9")), *parts(RESPONSE, b"x", end=False))
        list(played.cut_off("cut_off"))
        assert inspection.cut == []

    def test_what_passed_before_a_refusal_is_told_of_both_directions(self) -> None:
        played, inspection = self._played(Mode.FULL_DUPLEX, Mode.FULL_DUPLEX)
        does(played, headers(), *parts(REQUEST, b"x", end=False))
        does(played, headers(RESPONSE), *parts(RESPONSE, b"x", FORBIDDEN, end=False))
        assert sorted(inspection.cut) == [REQUEST, RESPONSE]
        assert list(played.cut_off("cut_off")) == []


def test_an_exchange_that_is_over_holds_no_windows() -> None:
    """Nor does one that was refused."""
    size = FREE_WINDOW + 100
    data = zstandard.ZstdCompressor().compress(b"x" * size)
    for event in (parts(REQUEST, data)[0], BodyCame(REQUEST, data), trailers(REQUEST), BodyCame(REQUEST, b"broken")):
        played = exchange(Mode.FULL_DUPLEX)
        does(played, headers(REQUEST, ("content-encoding", "zstd")))
        if event == trailers(REQUEST):
            does(played, BodyCame(REQUEST, data))
            assert played.windows == 100
        does(played, event)
        assert played.windows == (100 if event == BodyCame(REQUEST, data) else 0)
