"""When a server is worth asking: a circuit breaker. Pure.

Closed, it lets calls through. Failures in a row open it, and calls fail at once instead of each waiting its time out.
While it is open, one probe after the other asks the server (the half-open state, in which nobody's call is at stake);
the first that is answered in time closes it.
"""

from __future__ import annotations

FAILURES = 5  # in a row, that open it
PROBE_SECONDS = (0.05, 0.5)  # from one probe to the next: at first, and at most


class Breaker:
    """The state for one server."""

    def __init__(self) -> None:
        self._failures = 0
        self._probes = 0
        self.open = False

    def failed(self) -> bool:
        """Note that a call, or several that waited together, failed; say whether that opened it."""
        self._failures += 1
        if self.open or self._failures < FAILURES:
            return False
        self.open, self._probes = True, 0
        return True

    def succeeded(self) -> bool:
        """Note an answer; say whether that closed it."""
        self._failures = 0
        closed, self.open = self.open, False
        return closed

    def next_probe(self) -> float:
        """Seconds to wait before the next probe."""
        first, most = PROBE_SECONDS
        seconds: float = min(first * 2.0**self._probes, most)
        self._probes = min(self._probes + 1, 10)
        return seconds
