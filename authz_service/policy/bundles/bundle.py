"""An OPA bundle → the plan and the data that an engine is made of. Nothing in it is looked at before it is verified.

    opa build -t plan -e agent_gateway/decision -o bundle.tar.gz --bundle policies

Flow: `archive` or `folder` gathers the files; `signatures` verifies them where there are keys;
`manifest` and `data_files` read what is there. Without keys a signature is passed over. A large bundle takes
seconds and hundreds of megabytes to read: not on the event loop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from authz_service.policy.bundles.archive import MAX_ARCHIVE_BYTES, read_archive
from authz_service.policy.bundles.data_files import read_data
from authz_service.policy.bundles.files import MAX_FAULTS, shown
from authz_service.policy.bundles.folder import read_folder
from authz_service.policy.bundles.keys import SignatureTerms, read_terms
from authz_service.policy.bundles.manifest import outside, read_manifest
from authz_service.policy.bundles.signatures import SIGNATURES, signature_faults
from service_kit.faults import ConfigurationError, Fault, Faults

PLAN: Final = "plan.json"
PATCH: Final = "patch.json"
MAX_FAULT_TEXT: Final = 500  # characters


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was verified as it is configured, and read.

    `revision` changes exactly when the files do: their digest, after the manifest's own word and an `@` where it has
    one. `files` are all files by name, save the signatures.
    """

    plan: bytes
    data: Any
    revision: str
    roots: tuple[str, ...]
    files: Mapping[str, bytes]


def read_bundle(content: bytes, source: str, terms: SignatureTerms | None = None) -> Bundle:
    """Read a `.tar.gz` file's bytes, or raise `ConfigurationError` with every fault; they call it `source`."""
    return _bundle(read_archive(content, source), source, terms)


def read_bundle_folder(folder: Path, terms: SignatureTerms | None = None) -> Bundle:
    """Read an unpacked bundle, or raise `ConfigurationError` with every fault."""
    return _bundle(read_folder(folder), str(folder), terms)


def read_bundle_path(path: Path, verification: Mapping[str, Any]) -> Bundle:
    """Read a `.tar.gz` file or a folder, or raise `ConfigurationError` with every fault.

    `verification` is what `keys.read_terms` reads; empty, it asks for no signature.
    """
    faults = Faults()
    terms = read_terms(verification, str(path), faults)
    faults.raise_if_any()
    try:
        if path.is_dir():
            return read_bundle_folder(path, terms)
        with path.open("rb") as file:
            content = file.read(MAX_ARCHIVE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else "its name is none"
        raise ConfigurationError([Fault(str(path), 0, f"cannot be read: {reason}")]) from error
    return read_bundle(content, str(path), terms)


def _bundle(files: Mapping[str, bytes], source: str, terms: SignatureTerms | None) -> Bundle:
    if terms is not None:
        refusals = signature_faults(files, terms, source)
        _raise_if_any(refusals)
    faults = Faults()
    manifest = read_manifest(files, source, faults)
    data = read_data(files, source, faults)
    for path in islice(outside(data, manifest.roots), MAX_FAULTS):
        faults.add(source, 0, f"has data at {shown(path)}, which is in none of its manifest's roots")
    if any(name.rpartition("/")[2] == PATCH for name in files):
        faults.add(source, 0, "is a delta bundle, and only whole bundles can be read here")
    if PLAN not in files:
        faults.add(source, 0, f"has no {PLAN}: it must be made by `opa build -t plan`, with each rule to ask for as -e")
    _raise_if_any(faults.found)
    contents = {name: content for name, content in files.items() if name != SIGNATURES}
    digest = _digest(contents)
    revision = f"{manifest.revision}@{digest}" if manifest.revision else digest
    return Bundle(files[PLAN], data, revision, manifest.roots, contents)


def _raise_if_any(found: list[Fault]) -> None:
    """Raise the first of the faults, cut short: whoever wrote the bundle must not fill the log with it."""
    if found:
        raise ConfigurationError(
            [Fault(fault.source, fault.line, fault.text[:MAX_FAULT_TEXT]) for fault in found[:MAX_FAULTS]]
        )


def _digest(files: Mapping[str, bytes]) -> str:
    """Return twelve hexadecimal digits of the SHA-256 of names and contents, each after its length."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]
