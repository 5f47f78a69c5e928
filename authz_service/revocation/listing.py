"""All revocations that are known, and whether one is of a given caller. Pure.

A caller is looked up by what names him: at most seven look-ups, however many revocations there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from authz_service.model import Identity
from authz_service.revocation.model import Kind, Revocation, Subject

_Name = tuple[Kind, str, str | None]  # kind, value, and the issuer that narrows it


class RevocationList:
    """See the module. Under one subject there may stand two: of all its tokens, and of those before a time."""

    def __init__(self, revocations: Iterable[Revocation] = ()) -> None:
        self._by_name: dict[_Name, tuple[Revocation, ...]] = {}
        self._count = 0
        for revocation in revocations:
            self.add(revocation)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Revocation]:
        for found in self._by_name.values():
            yield from found

    def holds_the_same_as(self, other: RevocationList) -> bool:
        """Whether the same revocations are in both, in whatever order their subjects came."""
        return self._by_name == other._by_name

    def add(self, revocation: Revocation) -> None:
        """Take a revocation in; it replaces the one of the same subject and form."""
        name = _name(revocation.subject)
        beside = self._by_name.get(name, ())
        timed = revocation.issued_before is not None
        kept = tuple(other for other in beside if (other.issued_before is not None) != timed)
        self._by_name[name] = (*kept, revocation)
        self._count += len(kept) + 1 - len(beside)

    def remove(self, subject: Subject) -> None:
        """Take out every revocation of a subject."""
        self._count -= len(self._by_name.pop(_name(subject), ()))

    def drop_ended(self, now: float) -> None:
        """Take out what has ended; `now` is in epoch seconds. Goes through all of them."""
        for name, found in list(self._by_name.items()):
            kept = tuple(each for each in found if each.until is None or each.until > now)
            if len(kept) == len(found):
                continue
            self._count -= len(found) - len(kept)
            if kept:
                self._by_name[name] = kept
            else:
                del self._by_name[name]

    def match(self, identity: Identity, now: float) -> Revocation | None:
        """A revocation that is of this caller, or None. `now` is in epoch seconds."""
        if not self._by_name:
            return None
        issuer = identity.issuer
        for kind, value in (
            (Kind.TOKEN_ID, identity.token_id),
            (Kind.AGENT, identity.agent),
            (Kind.USER, identity.user),
        ):
            if value is None:
                continue
            for narrowed in (None, issuer):
                for revocation in self._by_name.get((kind, value, narrowed), ()):
                    if revocation.holds(identity.issued_at, now):
                        return revocation
        for revocation in self._by_name.get((Kind.ISSUER, issuer, None), ()):
            if revocation.holds(identity.issued_at, now):
                return revocation
        return None


def _name(subject: Subject) -> _Name:
    return subject.kind, subject.value, subject.issuer
