"""A bundle's `.manifest`: what the bundle calls itself, and which parts of the data document are its own. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from authz_service.policy.bundles import json_reading
from authz_service.policy.bundles.files import MAX_SHOWN, shown
from authz_service.policy.bundles.json_reading import JsonError
from service_kit.faults import Faults

MANIFEST: Final = ".manifest"
MAX_MANIFEST_BYTES: Final = 1024 * 1024
MAX_REVISION: Final = MAX_SHOWN  # characters
MAX_ROOTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Manifest:
    """`roots` are paths without slashes around them, none of them below another; "" is the whole document."""

    revision: str = ""
    roots: tuple[str, ...] = ("",)


def read_manifest(files: Mapping[str, bytes], source: str, faults: Faults) -> Manifest:
    """Read the manifest at the bundle's root; a bundle without one owns the whole document."""
    for name in files:
        if name.endswith((MANIFEST, f"{MANIFEST}.pb")) and name != MANIFEST:
            # To OPA this would be the manifest. Passed over, it would take its roots with it.
            faults.add(f"{source}/{name}", 0, f"must be {MANIFEST}, in JSON, at the bundle's root")
    if MANIFEST not in files:
        return Manifest()
    reading = _Reading(f"{source}/{MANIFEST}", faults)
    document = reading.document(files[MANIFEST])
    return Manifest(reading.revision(document.get("revision")), reading.roots(document.get("roots")))


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of a manifest."""

    source: str
    faults: Faults

    def fault(self, text: str, line: int = 0) -> None:
        self.faults.add(self.source, line, text)

    def document(self, content: bytes) -> Mapping[str, Any]:
        if len(content) > MAX_MANIFEST_BYTES:
            self.fault(f"is larger than {MAX_MANIFEST_BYTES} bytes")
            return {}
        try:
            document = json_reading.read(content)
        except JsonError as error:
            self.fault(error.text, error.line)
            return {}
        if not isinstance(document, dict):
            self.fault("must be an object at its root")
            return {}
        return document

    def revision(self, value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > MAX_REVISION or not value.isprintable():
            self.fault(f"has a revision that is not text of at most {MAX_REVISION} characters that print")
            return ""
        return value

    def roots(self, value: Any) -> tuple[str, ...]:
        if value is None:
            return ("",)
        if not isinstance(value, list) or not all(isinstance(root, str) for root in value) or len(value) > MAX_ROOTS:
            self.fault(f"has roots that are not a list of at most {MAX_ROOTS} paths")
            return ("",)
        roots = tuple(root.strip("/") for root in value)
        # Sorted by their segments, what lies below a root follows it.
        for upper, lower in pairwise(sorted(map(_segments, roots))):
            if lower[: len(upper)] == upper:
                self.fault(f"has overlapping roots: {shown('/'.join(upper))} and {shown('/'.join(lower))}")
        return roots


def outside(data: Mapping[str, Any], roots: tuple[str, ...]) -> Iterator[str]:
    """Find the data that no root allows: the path of each such value, the highest only."""
    owned = {_segments(root) for root in roots}
    above = {root[:depth] for root in owned for depth in range(len(root))}
    pending: list[tuple[tuple[str, ...], Any]] = [((), data)]
    while pending:
        path, value = pending.pop()
        if path in owned:
            continue
        if path in above and isinstance(value, dict):
            pending += [((*path, key), item) for key, item in value.items()]
        elif path or value:
            yield "/".join(path)


def _segments(root: str) -> tuple[str, ...]:
    return tuple(root.split("/")) if root else ()
