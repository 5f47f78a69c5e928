"""The `revocation` section: that revocations are heeded, and what holds while the list of them may be out of date."""

from __future__ import annotations

from dataclasses import dataclass

from service_kit.strict_yaml import Section

# Without any trouble the list is half a second old at most, and a failover takes a few.
MIN_AGE_SECONDS, MAX_AGE_SECONDS = 2, 24 * 3600


@dataclass(frozen=True, slots=True)
class RevocationSettings:
    """How old the list may be, in seconds, and whether callers are refused when it is older."""

    max_age: float
    refuse_when_stale: bool


def read_revocation(root: Section) -> RevocationSettings | None:
    """Read `revocation`; None where there is none. It needs `valkey`, where the list is kept."""
    if not root.has("revocation"):
        return None
    if not root.has("valkey"):
        root.fault("revocation", "needs the section valkey, where the list of revocations is kept")
    with root.section("revocation") as section:
        age = section.integer("max_age_seconds", minimum=MIN_AGE_SECONDS, maximum=MAX_AGE_SECONDS, default=30)
        stale = section.choice("when_stale", ("refuse", "continue"), default="refuse")
    return RevocationSettings(float(age), refuse_when_stale=stale == "refuse")
