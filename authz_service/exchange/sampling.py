"""Bodies that passed, kept as they passed, for the deep scan: the beginning of each, and no more than is allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from authz_service.deep_scan.note import Note
from authz_service.deep_scan.offering import DeepScan
from authz_service.dlp.actions import Direction
from authz_service.exchange.inspection import Redactor, Subject


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which bodies are looked at again. Without `endpoints` those of all; `now` gives seconds since the epoch."""

    deep_scan: DeepScan
    directions: frozenset[str]
    endpoints: frozenset[str]
    sample_bytes: int
    now: Callable[[], float]

    def sampled(self, redactor: Redactor, direction: Direction, subject: Subject, content_type: str) -> Redactor:
        """Return the redactor, or one that keeps a sample of what it lets go."""
        told = subject.metadata
        endpoint = str(told.get("endpoint") or "")
        if direction not in self.directions or (self.endpoints and endpoint not in self.endpoints):
            return redactor
        note = Note(
            decision_id=subject.decision_id,
            request_id=subject.request_id,
            direction=direction.value,
            user=str(told.get("user") or ""),
            agent=str(told.get("agent") or ""),
            issuer=str(told.get("issuer") or ""),
            token_id=str(told.get("token_id") or ""),
            endpoint=endpoint,
            content_type=content_type,
            time=self.now(),
        )
        return Sampled(redactor, note, self)


class Sampled:
    """Hands the sample over when it is full, or the body is whole or cut off. One that is refused whole is not kept."""

    def __init__(self, redactor: Redactor, note: Note, sampling: Sampling) -> None:
        self._redactor = redactor
        self._note = note
        self._sampling = sampling
        self._sample: bytearray | None = bytearray()

    def feed(self, data: bytes) -> bytes:
        """See `Redactor`."""
        return self._kept(self._redactor.feed(data))

    def finish(self) -> bytes:
        """See `Redactor`."""
        rest = self._kept(self._redactor.finish())
        if self._sample:
            self._hand_over(complete=True)
        return rest

    def cut_off(self) -> None:
        """Hand over what there is, if it has not been done. Of the last part some may be in it that did not pass."""
        if self._sample:
            self._hand_over(complete=False)

    def _kept(self, passed: bytes) -> bytes:
        sample = self._sample
        if sample is not None:
            left = self._sampling.sample_bytes - len(sample)
            sample += passed[:left]
            if len(passed) > left:
                self._hand_over(complete=False)
        return passed

    def _hand_over(self, *, complete: bool) -> None:
        sample, self._sample = self._sample, None
        self._sampling.deep_scan.offer(replace(self._note, complete=complete), bytes(sample or b""))
