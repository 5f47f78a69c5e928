"""What can go wrong, by whose fault it is. `code` is stable and goes into metrics; the text may go to the caller.

That the store does not answer is `service_kit.valkey.errors.StoreUnavailableError`.
"""

from __future__ import annotations

from typing import ClassVar


class InvalidRequestError(Exception):
    """The caller's fault: the request cannot be answered as it stands. Its text says why and quotes nothing of it."""

    code: ClassVar[str] = "invalid_argument"


class NoConfigurationError(Exception):
    """Nobody's fault yet: no configuration has been loaded, so no limit is known."""

    code: ClassVar[str] = "unavailable"
