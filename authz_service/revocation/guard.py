"""The revocations in force in this process, and what holds while they may be out of date. Reads no clock of its own.

A caller who is on the list is refused however old it is. Who is not on it passes while the list is young enough; once
it is older, the operator's choice holds: refuse everybody who brings a credential, or go on with what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from authz_service.errors import CredentialRefused, Outage
from authz_service.model import Identity
from authz_service.revocation.listing import RevocationList
from authz_service.revocation.model import Change, Revocation
from authz_service.settings.revocation import RevocationSettings

NEVER = float("-inf")


class Guard:
    """See the module. `monotonic` gives seconds of a steady clock, for the list's age."""

    def __init__(self, settings: RevocationSettings, *, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._list = RevocationList()
        self._confirmed = NEVER  # when the list was last known to be the store's
        self._trouble = "the list of revocations has not been read yet"
        self.generation = 0  # grows with each change of the list: what was decided under another may not hold any more

    def __len__(self) -> int:
        return len(self._list)

    def __iter__(self) -> Iterator[Revocation]:
        return iter(self._list)

    def check(self, identity: Identity, now: float) -> None:
        """Let a caller pass, or not; `now` is in epoch seconds.

        Raises:
            CredentialRefused: he is revoked.
            Outage: whether he is cannot be known.
        """
        if self._list.match(identity, now) is not None:
            raise CredentialRefused("token_revoked", "the credential has been revoked")
        if self._settings.refuse_when_stale and self.age() > self._settings.max_age:
            raise Outage("revocations_unknown", f"the list of revocations is out of date: {self._trouble}")

    def age(self) -> float:
        """Seconds since the list was last known to be the store's; infinite where it never was."""
        return self._monotonic() - self._confirmed

    def trouble(self) -> str | None:
        """Why the list is too old, or None while it is not."""
        return f"out of date: {self._trouble}" if self.age() > self._settings.max_age else None

    def problem(self) -> str | None:
        """Why callers are refused because the list is too old, or None while they are not."""
        return self.trouble() if self._settings.refuse_when_stale else None

    def confirm(self) -> None:
        """Note that the list is the store's."""
        self._confirmed = self._monotonic()

    def doubt(self, trouble: str) -> None:
        """Note why the list may not be the store's any more. It stays in force."""
        self._trouble = trouble

    def apply(self, change: Change) -> None:
        """Take one change in."""
        if change.revocation is None:
            self._list.remove(change.subject)
        else:
            self._list.add(change.revocation)
        self.generation += 1

    def replace(self, revocations: RevocationList) -> None:
        """Take a whole list in place of the one in force."""
        if not revocations.holds_the_same_as(self._list):
            self.generation += 1
        self._list = revocations

    def drop_ended(self, now: float) -> None:
        """Take out what has ended, which decides nothing any more; `now` is in epoch seconds."""
        self._list.drop_ended(now)

    def join(self, revocations: Iterable[Revocation]) -> None:
        """Take revocations in beside those in force, none of which is let go of."""
        for revocation in revocations:
            self._list.add(revocation)
        self.generation += 1
