"""The `identity.certificates` section: whose certificates name callers, and which forwarded ones are believed."""

from __future__ import annotations

from dataclasses import dataclass

from authz_service.identity.certificate_names import AcceptedName, Kind
from authz_service.identity.xfcc import Trust
from service_kit.strict_yaml import Section

KINDS: tuple[Kind, ...] = ("uri", "dns", "subject")
MAX_NAMES = 1_000


@dataclass(frozen=True, slots=True)
class CertificateSettings:
    """`accept`: who may call with a certificate alone, where a route allows it. `forwarded`: see `identity.xfcc`."""

    accept: tuple[AcceptedName, ...] = ()
    forwarded: Trust = Trust.NONE


def read_certificates(section: Section) -> CertificateSettings:
    """Read `identity.certificates`."""
    with section:
        trust = Trust(section.choice("forwarded", [each.value for each in Trust], default=Trust.NONE.value))
        items = section.sections("accept")
        if len(items) > MAX_NAMES:
            section.fault("accept", f"must have at most {MAX_NAMES} items")
        accept = tuple(_accepted(item) for item in items[:MAX_NAMES])
    return CertificateSettings(accept, trust)


def _accepted(item: Section) -> AcceptedName:
    with item:
        named = [kind for kind in KINDS if item.has(kind)]
        if len(named) != 1:
            item.faults.add(item.source, item.line, f"{item.path} needs one of {', '.join(KINDS)}")
        pattern = item.text(named[0]) if named else ""
        if pattern and not any(map(str.isalnum, pattern)):
            item.fault(named[0], "must name something: this pattern fits every certificate")
        return AcceptedName(named[0] if named else "uri", pattern, item.texts("roles"))
