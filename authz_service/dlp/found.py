"""What was found at a place, as it is handed to whoever decides what becomes of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from authz_service.dlp.detectors import Detector


class Found(NamedTuple):
    """`value` is the text that was found, None where it is longer than can be held back. Never logged.

    `offset` is where it begins among the bytes that came. `name` is the header, the parameter or the JSON path, where
    one is known.
    """

    detector: Detector
    confidence: float
    value: bytes | None
    offset: int
    name: str = ""

    def __repr__(self) -> str:
        """Show what and where, and nothing of the value."""
        return f"Found({self.detector.name}, {self.offset})"


class Treatment(Protocol):
    """Decides what stands in the place of what was found, and notes it down."""

    def __call__(self, found: Found) -> bytes | None:
        """Return the text to put in its place, as the application is to read it; None leaves it as it is.

        Raises:
            Blocked: the whole exchange is not to pass.
        """
        ...


class Blocked(Exception):  # noqa: N818  (what happens, not what went wrong)
    """Something was found with which nothing passes. `code` is stable; no text of it holds a value."""

    def __init__(self, code: str, found: Found | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.found = found
