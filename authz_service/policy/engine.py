"""The port that every policy engine stands behind."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Protocol


class Undefined(enum.Enum):
    """The decision rule has no value for this input."""

    UNDEFINED = enum.auto()


UNDEFINED = Undefined.UNDEFINED


class Engine(Protocol):
    """One compiled set of policies; a changed policy is a new engine."""

    @property
    def revision(self) -> str:
        """What tells this set of policies from another; stable over restarts."""
        ...

    def evaluate(self, document: Mapping[str, Any]) -> Any:
        """Return the decision rule's value as JSON values, or `UNDEFINED`.

        MUST NOT change the document, and MUST raise only `PolicyFailed`.
        """
        ...
