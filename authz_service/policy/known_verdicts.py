"""Verdicts that came before: a policy decides the same few things over and over, and reading one takes a while."""

from __future__ import annotations

import marshal
from typing import Any

from authz_service.policy.verdict import Verdict, read_verdict

CAPACITY = 1_024  # verdicts
MAX_BYTES = 2_048  # of a decision that is remembered
_FORMAT = 2  # of `marshal`: equal values in equal bytes, whoever else refers to them


class KnownVerdicts:
    """Reads verdicts. At most `capacity` are remembered by what was decided; the first of them makes room."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._known: dict[bytes, Verdict] = {}

    def __len__(self) -> int:
        return len(self._known)

    def read(self, value: Any) -> Verdict:
        """Read a decision as `read_verdict` does."""
        try:
            mark = marshal.dumps(value, _FORMAT)  # a tenth of the time; 1, 1.0 and true are three values to it
        except ValueError:  # something that it does not know, such as a Decimal
            return read_verdict(value)
        verdict = self._known.get(mark)
        if verdict is None:
            verdict = read_verdict(value)
            if len(mark) <= MAX_BYTES:
                if len(self._known) >= self._capacity:
                    del self._known[next(iter(self._known))]
                self._known[mark] = verdict
        return verdict
