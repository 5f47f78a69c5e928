"""What passes, kept for the deep scan."""

from __future__ import annotations

import pytest

from authz_service.deep_scan.note import Note
from authz_service.dlp.actions import Direction
from authz_service.dlp.found import Blocked
from authz_service.exchange.inspection import Redactor, Subject
from authz_service.exchange.sampling import Sampled, Sampling

SUBJECT = Subject(
    "d-1", "r-1", {"user": "alice", "agent": "cowork", "issuer": "i", "token_id": "j", "endpoint": "/reports"}
)  # fmt: skip


class Offered:
    """A deep scan that only keeps what it is offered."""

    def __init__(self) -> None:
        self.bodies: list[tuple[Note, bytes]] = []

    def offer(self, note: Note, body: bytes) -> None:
        self.bodies.append((note, body))


class Hiding:
    """Replaces `secret`, holds one byte back, and refuses `never`."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        if b"never" in data:
            raise Blocked("secret_in_body")
        data = self._held + data.replace(b"secret", b"***")
        self._held = data[-1:]
        return data[:-1]

    def finish(self) -> bytes:
        return self._held


def begin(
    offered: Offered, *, most: int = 100, directions: str = "request response", endpoints: str = "",
    direction: Direction = Direction.REQUEST, redactor: Redactor | None = None,
) -> Redactor:  # fmt: skip
    sampling = Sampling(offered, frozenset(directions.split()), frozenset(endpoints.split()), most, lambda: 7.0)
    return sampling.sampled(redactor or Hiding(), direction, SUBJECT, "text/plain")


def test_what_passed_is_handed_over_when_the_body_is_whole() -> None:
    """As it passed, and with whose it is."""
    offered = Offered()
    body = begin(offered)
    assert body.feed(b"a secret") + body.feed(b" here") + body.finish() == b"a *** here"
    note = Note("d-1", "r-1", "request", "alice", "cowork", "i", "j", "/reports", "text/plain", 7.0)
    assert offered.bodies == [(note, b"a *** here")]


def test_of_a_long_body_its_beginning_is_handed_over_at_once() -> None:
    """A stream may never end; what goes on is not kept."""
    offered = Offered()
    body = begin(offered, most=4)
    passed = b"".join(body.feed(b"0123456789") for _ in range(3)) + body.finish()
    assert passed == b"0123456789" * 3
    ((note, sample),) = offered.bodies
    assert (note.complete, sample) == (False, b"0123")


def test_a_body_that_is_refused_is_not_kept() -> None:
    """It has not passed."""
    offered = Offered()
    body = begin(offered)
    body.feed(b"begins well, ")
    with pytest.raises(Blocked):
        body.feed(b"never")
    assert offered.bodies == []


def test_an_empty_body_is_none() -> None:
    """There is nothing to look at."""
    offered = Offered()
    assert begin(offered).finish() == b""
    assert offered.bodies == []


@pytest.mark.parametrize(
    ("directions", "endpoints", "direction", "kept"),
    [
        ("request", "", Direction.REQUEST, True),
        ("request", "", Direction.RESPONSE, False),
        ("response", "/hr /reports", Direction.RESPONSE, True),
        ("response", "/hr", Direction.RESPONSE, False),
    ],
)
def test_only_bodies_that_are_asked_for_are_kept(
    directions: str, endpoints: str, direction: Direction, kept: bool  # noqa: FBT001
) -> None:  # fmt: skip
    """By direction and endpoint; the others go straight through."""
    offered, redactor = Offered(), Hiding()
    body = begin(offered, directions=directions, endpoints=endpoints, direction=direction, redactor=redactor)
    assert (body is not redactor) is kept
    body.feed(b"abc")
    body.finish()
    assert bool(offered.bodies) is kept


def test_of_a_body_that_is_cut_off_what_passed_is_handed_over() -> None:
    """Once, and what is held back is not in it."""
    offered = Offered()
    body = begin(offered)
    assert isinstance(body, Sampled)
    assert body.feed(b"a secret") + body.feed(b" here") == b"a *** her"
    body.cut_off()
    body.cut_off()
    ((note, sample),) = offered.bodies
    assert (note.complete, sample) == (False, b"a *** her")


@pytest.mark.parametrize("most", [1, 100])
def test_a_body_that_was_handed_over_is_not_again(most: int) -> None:
    offered = Offered()
    body = begin(offered, most=most)
    assert isinstance(body, Sampled)
    body.feed(b"0123")
    body.finish()
    body.cut_off()
    assert len(offered.bodies) == 1
