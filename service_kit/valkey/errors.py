"""What can go wrong with a server, whatever it is asked for."""

from __future__ import annotations

from typing import ClassVar


class StoreUnavailableError(Exception):
    """The server did not answer in time, not at all, or with an error.

    Nothing is known of whether the command was carried out. The text is for logs, not for callers. `code` is stable and
    goes into metrics.
    """

    code: ClassVar[str] = "store_unavailable"
