"""A direction passes as its mode asks: in one part, one for one, or as it can; however its body is cut."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_log.event import FindingNote
from authz_service.dlp.actions import Direction
from authz_service.exchange.body import Over, Terms
from authz_service.exchange.events import (
    Action,
    Answer,
    BodyGoes,
    Change,
    Event,
    HeadersGo,
    Mode,
    Record,
    TrailersGo,
)
from authz_service.exchange.passage import CHUNK_BYTES, HOLD_BYTES
from authz_service.exchange.refusals import UnexpectedError
from tests.authz_service.exchange.fixed_bodies import FORBIDDEN, HARMLESS, SECRET, redacted
from tests.authz_service.exchange.playing import (
    REQUEST,
    RESPONSE,
    answered,
    does,
    exchange,
    headers,
    parts,
    sent,
    trailers,
)

TEXTS = st.lists(st.sampled_from([SECRET, b"the-", b"x", b"\n\n", b"S", b"some more text"]), max_size=12).map(b"".join)
CUTS = st.lists(st.integers(0, 30), max_size=12)


def _cut(text: bytes, sizes: Sequence[int]) -> list[bytes]:
    found = []
    for size in sizes:
        found.append(text[:size])
        text = text[size:]
    return [*found, text]


def _bodies(actions: list[Action]) -> list[BodyGoes]:
    return [each for each in actions if isinstance(each, BodyGoes)]


@given(text=TEXTS, sizes=CUTS, coded=st.booleans(), direction=st.sampled_from(Direction), in_trailers=st.booleans())
def test_a_duplex_body_is_redacted_as_a_whole_would_be(
    text: bytes, sizes: list[int], direction: Direction, *, coded: bool, in_trailers: bool
) -> None:
    played = exchange(Mode.FULL_DUPLEX, response=direction is RESPONSE)
    data = gzip.compress(text) if coded else text
    more = [("content-encoding", "gzip")] if coded else []
    events: list[Event] = [headers(direction, *more), *parts(direction, *_cut(data, sizes), end=not in_trailers)]
    actions = does(played, *events, *([trailers(direction)] if in_trailers else []))
    out = sent(actions)
    assert (gzip.decompress(out) if coded and out else out) == redacted(text)
    bodies = _bodies(actions)
    assert all(each.streamed and len(each.data or b"") <= CHUNK_BYTES for each in bodies)
    assert (
        [each.end for each in bodies] == [False] * (len(bodies) - 1) + [True]
        if not in_trailers
        else not any(each.end for each in bodies)
    )
    kinds = [type(each) for each in actions if not isinstance(each, Record)]
    assert kinds == sorted(kinds, key=[HeadersGo, BodyGoes, TrailersGo].index)
    assert not played.is_open


@given(text=TEXTS, sizes=CUTS, announced=st.booleans(), direction=st.sampled_from(Direction))
def test_a_streamed_body_has_one_answer_for_each_part(
    text: bytes, sizes: list[int], direction: Direction, *, announced: bool
) -> None:
    played = exchange(Mode.STREAMED, response=direction is RESPONSE)
    more = [("content-length", str(len(text)))] if announced else []
    does(played, headers(direction, *more))
    out = b""
    for event in parts(direction, *_cut(text, sizes)):
        (answer,) = _bodies(does(played, event))
        assert not answer.streamed
        assert answer.data is not None
        out += answer.data
    assert out == redacted(text)


def test_a_streamed_body_is_flushed_at_its_announced_length_and_trailers_may_follow() -> None:
    played = exchange(Mode.STREAMED)
    actions = does(played, headers(REQUEST, ("content-length", "5")), *parts(REQUEST, b"the-S", end=False))
    assert sent(actions) == b"the-S"
    assert isinstance(does(played, trailers(REQUEST))[-1], TrailersGo)


def test_more_of_a_streamed_body_than_was_announced_is_unexpected() -> None:
    played = exchange(Mode.STREAMED)
    does(played, headers(REQUEST, ("content-length", "2")), *parts(REQUEST, b"ab", end=False))
    with pytest.raises(UnexpectedError):
        does(played, *parts(REQUEST, SECRET))


def test_trailers_that_would_cut_a_streamed_body_end_the_exchange() -> None:
    played = exchange(Mode.STREAMED, response=True)
    does(played, headers(RESPONSE), *parts(RESPONSE, b"the-S", end=False))
    assert answered(does(played, trailers(RESPONSE))) == (502, "trailers_refused")


@pytest.mark.parametrize("end", [True, False])
def test_a_whole_body_is_one_part_and_trailers_may_follow_it(*, end: bool) -> None:
    played = exchange(Mode.BUFFERED)
    actions = does(played, headers(REQUEST, ("content-length", "18")), *parts(REQUEST, b"a " + SECRET, end=end))
    found = [FindingNote("secret", "body", "", "replace")]
    assert actions[1:] == [
        Record(REQUEST, "passed", 0, found),
        BodyGoes(REQUEST, b"a [gone]", Change([("content-length", "8")])),
    ]
    if not end:
        assert does(played, trailers(REQUEST, ("x-note", "b"))) == [TrailersGo(REQUEST)]


def test_a_whole_body_without_a_finding_goes_as_it_came() -> None:
    fields = [("content-length", "5"), ("content-digest", "sha-256=:AA==:"), ("content-encoding", "gzip")]
    body = gzip.compress(b"hello")
    actions = does(exchange(Mode.BUFFERED), headers(REQUEST, *fields), *parts(REQUEST, body))
    assert actions == [HeadersGo(REQUEST), BodyGoes(REQUEST, None)]


def test_a_whole_body_that_changes_takes_its_digests_with_it() -> None:
    fields = [("content-digest", "sha-256=:AA==:"), ("etag", '"x"')]
    played = exchange(Mode.BUFFERED, response=True)
    action = does(played, headers(RESPONSE, *fields), *parts(RESPONSE, SECRET))[-1]
    assert action == BodyGoes(RESPONSE, HARMLESS, Change([("etag", 'W/"x"')], ["content-digest"]))


def test_an_empty_body_that_streams_ends_with_an_empty_part() -> None:
    actions = does(exchange(Mode.FULL_DUPLEX), headers(), *parts(REQUEST, b""))
    assert actions == [HeadersGo(REQUEST), BodyGoes(REQUEST, b"", streamed=True, end=True)]


def test_headers_without_a_body_are_the_end() -> None:
    played = exchange(Mode.FULL_DUPLEX, response=True)
    assert does(played, headers(RESPONSE, end=True)) == [HeadersGo(RESPONSE)]
    assert not played.is_open


def test_headers_and_trailers_are_looked_at() -> None:
    played = exchange(Mode.FULL_DUPLEX, response=True)
    actions = does(
        played, headers(RESPONSE, ("x-a", SECRET.decode())), *parts(RESPONSE, b"x", end=False),
        trailers(RESPONSE, ("x-b", SECRET.decode())),
    )  # fmt: skip
    assert actions[0] == HeadersGo(RESPONSE, Change([("x-a", "[gone]")]))
    assert actions[-1] == TrailersGo(RESPONSE, Change([("x-b", "[gone]")]))
    told = [note for each in actions if isinstance(each, Record) for note in each.findings]
    assert told == [
        FindingNote("secret", "header", "x-a", "replace"),
        FindingNote("secret", "trailer", "x-b", "replace"),
    ]


def test_a_secret_in_headers_that_blocks_is_answered_before_anything_goes() -> None:
    actions = does(exchange(Mode.BUFFERED), headers(REQUEST, ("x-a", FORBIDDEN.decode())))
    assert answered(actions) == (403, "secret_found")
    assert not any(isinstance(each, HeadersGo) for each in actions)


class TestHeadersThatWait:
    def test_those_of_a_short_answer_wait_for_its_body(self) -> None:
        played = exchange(Mode.FULL_DUPLEX, response=True)
        assert does(played, headers(RESPONSE, ("content-length", "7"))) == []
        assert does(played, *parts(RESPONSE, b"abc", end=False)) == []
        actions = does(played, *parts(RESPONSE, b"defg"))
        assert actions[0] == HeadersGo(RESPONSE)
        assert sent(actions) == b"abcdefg"

    def test_a_short_answer_that_is_blocked_has_a_status(self) -> None:
        played = exchange(Mode.FULL_DUPLEX, response=True)
        actions = does(played, headers(RESPONSE, ("content-length", "99")), *parts(RESPONSE, FORBIDDEN))
        assert answered(actions) == (502, "secret_found")
        assert not any(isinstance(each, HeadersGo) for each in actions)

    def test_they_go_before_trailers(self) -> None:
        played = exchange(Mode.FULL_DUPLEX, response=True)
        does(played, headers(RESPONSE, ("content-length", "1")), *parts(RESPONSE, b"a", end=False))
        assert [type(each) for each in does(played, trailers(RESPONSE))] == [HeadersGo, BodyGoes, TrailersGo]

    @pytest.mark.parametrize(
        "more",
        [
            [],
            [("content-length", str(HOLD_BYTES + 1))],
            [("content-length", "9" * 30)],
            [("content-length", "5"), ("content-type", "text/event-stream")],
        ],
    )
    def test_those_of_long_and_live_answers_do_not(self, more: list[tuple[str, str]]) -> None:
        played = exchange(Mode.FULL_DUPLEX, response=True)
        fields = [(":status", "200"), *more]
        event = type(headers(RESPONSE))(RESPONSE, fields)
        assert isinstance(does(played, event)[0], HeadersGo)

    def test_those_of_an_answer_that_is_longer_than_announced_wait_no_longer(self) -> None:
        played = exchange(Mode.FULL_DUPLEX, response=True)
        assert does(played, headers(RESPONSE, ("content-length", "5")), *parts(RESPONSE, b"01234", end=False)) == []
        actions = does(played, *parts(RESPONSE, b"5", end=False))
        assert isinstance(actions[0], HeadersGo)
        assert sent(actions) == b"012345"
        assert sent(does(played, *parts(RESPONSE, b"67"))) == b"67"


class TestPartsThatAreHeldBack:
    @pytest.mark.parametrize("direction", list(Direction))
    def test_an_empty_part_lets_headers_go_once_where_all_of_the_first_is_held_back(self, direction: Direction) -> None:
        """Envoy keeps them until a part is answered."""
        played = exchange(Mode.FULL_DUPLEX, response=direction is RESPONSE)
        does(played, headers(direction))
        for part, goes in ((SECRET[:3], [b""]), (SECRET[3:6], []), (b"", []), (b"x" + SECRET[:1], [SECRET[:6] + b"x"])):
            actions = does(played, *parts(direction, part, end=False))
            assert actions == [BodyGoes(direction, each, streamed=True) for each in goes]

    @pytest.mark.parametrize(("length", "goes"), [(HOLD_BYTES + 3, 0), (HOLD_BYTES + 4, 1), (2, 1)])
    def test_a_short_request_need_not_begin_before_it_is_whole(self, length: int, goes: int) -> None:
        """One that is blocked then never begins. What is longer than it says is no short one."""
        played = exchange(Mode.FULL_DUPLEX)
        actions = does(
            played, headers(REQUEST, ("content-length", str(length))), *parts(REQUEST, SECRET[:3], end=False)
        )
        assert len(_bodies(actions)) == goes

    def test_a_live_answer_begins_whatever_length_it_announces(self) -> None:
        played = exchange(Mode.FULL_DUPLEX, response=True)
        fields = [(":status", "200"), ("content-length", "50"), ("content-type", "text/event-stream")]
        actions = does(played, type(headers())(RESPONSE, fields), *parts(RESPONSE, SECRET[:3], end=False))
        assert [type(each) for each in actions] == [HeadersGo, BodyGoes]

    def test_nothing_goes_for_a_first_part_in_a_mode_that_answers_each(self) -> None:
        actions = does(exchange(Mode.STREAMED), headers(), *parts(REQUEST, SECRET[:3], end=False))
        assert _bodies(actions) == [BodyGoes(REQUEST, b"")]


class TestRefusals:
    @pytest.mark.parametrize(
        ("field", "status", "code"),
        [
            (("content-encoding", "compress"), 415, "unknown_coding"),
            (("content-encoding", "br, br, br"), 415, "too_many_codings"),
            (("content-range", "bytes 0-1/2"), 400, "partial_content"),
            (("grpc-encoding", "gzip"), 415, "unknown_coding"),
            (("upgrade", "websocket"), 403, "upgrade_refused"),
        ],
    )
    def test_what_cannot_be_looked_at_does_not_begin(self, field: tuple[str, str], status: int, code: str) -> None:
        assert answered(does(exchange(Mode.BUFFERED), headers(REQUEST, field))) == (status, code)

    @pytest.mark.parametrize("mode", [Mode.BUFFERED, Mode.STREAMED, Mode.FULL_DUPLEX])
    def test_a_coding_that_is_broken_ends_the_exchange(self, mode: Mode) -> None:
        data = gzip.compress(b"x" * 100)
        for body, code in ((data[:-1], "coding_truncated"), (b"abc", "coding_malformed")):
            actions = does(exchange(mode), headers(REQUEST, ("content-encoding", "gzip")), *parts(REQUEST, body))
            assert answered(actions) == (400, code)

    def test_a_bomb_is_refused(self) -> None:
        bomb = gzip.compress(bytes(4 * 1024 * 1024))
        terms = Terms(limit_bytes=0)
        actions = does(
            exchange(Mode.BUFFERED, terms=terms), headers(REQUEST, ("content-encoding", "gzip")), *parts(REQUEST, bomb)
        )
        assert answered(actions) == (413, "coding_expands")

    @pytest.mark.parametrize("mode", [Mode.BUFFERED, Mode.FULL_DUPLEX])
    def test_a_body_over_its_limit_is_refused(self, mode: Mode) -> None:
        terms = Terms(limit_bytes=10, stream_limit_bytes=10)
        assert not isinstance(does(exchange(mode, terms=terms), headers(), *parts(REQUEST, b"x" * 10))[-1], Answer)
        actions = does(exchange(mode, terms=terms), headers(), *parts(REQUEST, b"x" * 11))
        assert answered(actions) == (413, "body_too_large")

    @pytest.mark.parametrize("mode", [Mode.BUFFERED, Mode.FULL_DUPLEX])
    def test_or_passes_and_is_told_to_be_unscanned(self, mode: Mode) -> None:
        terms = Terms(limit_bytes=20, stream_limit_bytes=20, over_limit=Over.REPORT)
        body = SECRET + b" and " + SECRET
        actions = does(exchange(mode, terms=terms), headers(), *parts(REQUEST, body))
        assert sent(actions) == HARMLESS + b" and " + SECRET
        notes = [note.entity for each in actions if isinstance(each, Record) for note in each.findings]
        assert notes == ["secret", "unscanned"]


def test_what_is_asked_for_is_narrowed_to_what_can_be_looked_at() -> None:
    asked = headers(REQUEST, ("accept-encoding", "br, compress"), ("range", "bytes=0-1"), end=True)
    (action,) = does(exchange(Mode.NONE, other=Mode.FULL_DUPLEX), asked)
    assert action == HeadersGo(REQUEST, Change([("accept-encoding", "br")], ["range"]))
    assert does(exchange(Mode.NONE), asked) == [HeadersGo(REQUEST)]
