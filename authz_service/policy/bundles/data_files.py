"""The data files of a bundle → the data document. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from authz_service.policy.bundles import json_reading
from authz_service.policy.bundles.json_reading import JsonError
from authz_service.policy.sources import DATA_NAMES, place
from authz_service.rego_engine import numbers
from service_kit import strict_yaml
from service_kit.faults import Faults

MAX_DATA_BYTES: Final = 16 * 1024 * 1024  # of all data files together; as values they take up to thirty times as much


def is_data(name: str) -> bool:
    """Whether a file of the bundle goes into the data document."""
    return name.rpartition("/")[2] in DATA_NAMES


def read_data(files: Mapping[str, bytes], source: str, faults: Faults) -> dict[str, Any]:
    """Read every data file to its folder's path. What cannot be read is a fault, and left out."""
    data: dict[str, Any] = {}
    names = sorted(filter(is_data, files))
    if sum(len(files[name]) for name in names) > MAX_DATA_BYTES:
        faults.add(source, 0, f"has more than {MAX_DATA_BYTES} bytes of data")
        return data
    for name in names:
        *folders, base = name.split("/")
        file = f"{source}/{name}"
        if any(folder.startswith(".") for folder in folders):
            # OPA leaves the first dots of the path out, others take it as it is: no policy could rely on either.
            faults.add(file, 0, "is data in a hidden folder")
        elif base.endswith(".json"):
            _place_json(data, folders, files[name], file, faults)
        else:
            place(data, folders, _exact(strict_yaml.parse(files[name], file, faults).plain()), file, faults)
    return data


def _place_json(data: dict[str, Any], folders: list[str], content: bytes, file: str, faults: Faults) -> None:
    try:
        value = json_reading.read(content)
    except JsonError as error:
        faults.add(file, error.line, error.text)
        return
    if folders or isinstance(value, dict):
        place(data, folders, value, file, faults)
    else:
        faults.add(file, 0, "must be an object at its root")


def _exact(value: Any) -> Any:
    """Return a value with its numbers as the engine holds them; YAML's depth is bounded by its reader."""
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    # By its decimal, as it is written: 1e23 is no binary fraction, and its nearest one has other digits.
    return numbers.from_decimal(numbers.decimal(value)) if isinstance(value, float) else value
