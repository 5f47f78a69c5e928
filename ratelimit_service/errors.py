"""What can go wrong, by whose fault it is. `code` is stable and goes into metrics; the text may go to the caller."""

from __future__ import annotations

from typing import ClassVar


class RateLimitError(Exception):
    """Any failure of this service that it knows by name."""

    code: ClassVar[str] = "internal"


class InvalidRequestError(RateLimitError):
    """The caller's fault: the request cannot be answered as it stands. Its text says why and quotes nothing of it."""

    code: ClassVar[str] = "invalid_argument"


class NoConfigurationError(RateLimitError):
    """Nobody's fault yet: no configuration has been loaded, so no limit is known."""

    code: ClassVar[str] = "unavailable"


class StoreUnavailableError(RateLimitError):
    """The counter store's fault: it did not answer in time, not at all, or with an error.

    Nothing is known about whether the charges were counted. The text is for logs, not for callers.
    """

    code: ClassVar[str] = "store_unavailable"
