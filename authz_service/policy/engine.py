"""The port that every policy engine stands behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Engine(Protocol):
    """One compiled set of policies; a changed policy is a new engine."""

    @property
    def revision(self) -> str:
        """What tells this set of policies from another; stable over restarts."""
        ...

    @property
    def loaded(self) -> float:
        """When it was loaded, in seconds since the epoch."""
        ...

    @property
    def reads(self) -> frozenset[str] | None:
        """The members of the input that it may look at; None: any. What is not among them need not be built."""
        ...

    async def decide(self, rule: str, document: Mapping[str, Any]) -> Any:
        """Return a rule's value as JSON values, or `rego_engine.values.UNDEFINED`; `rule` is `package/path/rule`.

        MUST NOT change the document, MUST end within a stated time, and MUST raise only `PolicyFailed`.
        """
        ...
