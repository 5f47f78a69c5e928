"""The .rego and data files of the configured paths, read and bounded: what an engine compiles.

A folder's `data.json`, `data.yaml` and `data.yml` land in the data document at the folder's path below the configured
root, as in an OPA bundle. Files named `*_test.rego` are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authz_service.rego_engine import values
from service_kit import strict_yaml
from service_kit.faults import Faults

MAX_FILES = 2_000
MAX_FILE_BYTES = 4 * 1024 * 1024
DATA_NAMES = frozenset({"data.json", "data.yaml", "data.yml"})


@dataclass(frozen=True, slots=True)
class PolicySources:
    """Modules by file name, the data document, and a revision that changes exactly when either does."""

    modules: Mapping[str, str]
    data: Mapping[str, Any]

    @property
    def revision(self) -> str:
        """Twelve hexadecimal digits of the contents' SHA-256."""
        contents = json.dumps([self.modules, self.data], sort_keys=True, default=str)
        return hashlib.sha256(contents.encode()).hexdigest()[:12]


def read_sources(paths: Sequence[Path], *, with_tests: bool = False) -> PolicySources:
    """Read every policy and data file below `paths`, or raise `ConfigurationError` with every fault."""
    faults = Faults()
    modules: dict[str, str] = {}
    data: dict[str, Any] = {}
    files = [(root, file) for root in paths for file in _files(root)]
    if len(files) > MAX_FILES:
        faults.add(str(paths[0]), 0, f"more than {MAX_FILES} policy files")
        files = []
    for root, file in files:
        if file.suffix == ".rego":
            if with_tests or not file.name.endswith("_test.rego"):
                text = _read(file, faults)
                if text is not None:
                    modules[str(file)] = text
        else:
            folders = file.parent.relative_to(root).parts if file != root else ()
            place(data, folders, _read_data(file, faults), str(file), faults)
    if not modules and not faults.found:
        faults.add(str(paths[0]), 0, "has no .rego file")
    faults.raise_if_any()
    return PolicySources(modules, data)


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for file in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
        if not hidden and file.is_file() and (file.suffix == ".rego" or file.name in DATA_NAMES):
            yield file


def _read(file: Path, faults: Faults) -> str | None:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            faults.add(str(file), 0, f"is larger than {MAX_FILE_BYTES} bytes")
            return None
        return file.read_text("utf-8")
    except OSError as error:
        faults.add(str(file), 0, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        faults.add(str(file), 0, "is not UTF-8")
    return None


def _read_data(file: Path, faults: Faults) -> dict[str, Any]:
    if file.suffix != ".json":
        return strict_yaml.read(file, faults).plain()
    text = _read(file, faults)
    if text is None:
        return {}
    try:
        value = values.read(text)
    except json.JSONDecodeError as error:
        faults.add(str(file), error.lineno, f"is not JSON: {error.msg}")
        return {}
    except ValueError:
        faults.add(str(file), 0, "is not JSON that can be read")
        return {}
    if not isinstance(value, dict):
        faults.add(str(file), 0, "must be an object at its root")
        return {}
    return value


def place(data: dict[str, Any], folders: Sequence[str], value: Any, source: str, faults: Faults) -> None:
    """Put a file's value at its folders' path in the data document: an object at its root, below it any value.

    Objects that meet are merged. Anything else that meets is a fault: which of the two counts would be chance.
    """
    for depth, folder in enumerate(folders):
        if depth == len(folders) - 1 and not isinstance(value, dict):
            value = {folder: value}
            break
        below = data.setdefault(folder, {})
        if not isinstance(below, dict):
            faults.add(source, 0, f"{folder!r} in the data document is a value already")
            return
        data = below
    pending = [(data, value)]  # no recursion: the values may be nested as deeply as their reader allows
    while pending:
        present, added = pending.pop()
        for key, item in added.items():
            if key not in present:
                present[key] = item
            elif isinstance(present[key], dict) and isinstance(item, dict):
                pending.append((present[key], item))
            else:
                faults.add(source, 0, f"{key!r} is in the data document already")
