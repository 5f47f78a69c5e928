"""What a bundle's signature signs of each file: a digest of its bytes, or of its value where it is structured. Pure.

OPA signs the value of `data.json`, `data.yaml`, `data.yml` and `.manifest`, so that spaces and the order of keys do not
matter: the digest is that of the value's JSON text without spaces, keys sorted, numbers as they are written. Of any
other file, `plan.json` too, it is that of the bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from authz_service.policy.bundles import json_reading
from authz_service.policy.bundles.data_files import MAX_DATA_BYTES, is_data
from authz_service.policy.bundles.json_reading import JsonError, Literal
from authz_service.policy.bundles.manifest import MANIFEST
from service_kit import strict_yaml
from service_kit.faults import Faults

# OPA knows MD5 and SHA-1 too. Two files can be made to share one of those, so they vouch for neither.
ALGORITHMS: Final[dict[str, Callable[[bytes], Any]]] = {
    "SHA-224": hashlib.sha224,
    "SHA-256": hashlib.sha256,
    "SHA-384": hashlib.sha384,
    "SHA-512": hashlib.sha512,
}


def file_digest(name: str, content: bytes, algorithm: str) -> bytes:
    """Return a file's digest by one of `ALGORITHMS`.

    Raises:
        JsonError: the file is structured, and cannot be read.
    """
    base = name.rpartition("/")[2]
    if base == MANIFEST or is_data(name):
        content = canonical_text(_value(base, content)).encode()
    digest: bytes = ALGORITHMS[algorithm](content).digest()
    return digest


def _value(base: str, content: bytes) -> Any:
    if len(content) > MAX_DATA_BYTES:
        raise JsonError(0, f"is larger than {MAX_DATA_BYTES} bytes")
    if base == MANIFEST or base.endswith(".json"):
        return json_reading.read_literally(content)
    faults = Faults()
    value = strict_yaml.parse(content, base, faults).plain()
    if faults.found:
        raise JsonError(faults.found[0].line, faults.found[0].text)
    return value


def canonical_text(value: Any) -> str:
    """Return the JSON text that is signed. The value is nested no deeper than its reader allows."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{','.join(map(canonical_text, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_quoted(key)}:{canonical_text(value[key])}' for key in sorted(value))}}}"
    return _number(value) if isinstance(value, float) else json.dumps(value)


def _quoted(text: str) -> str:
    # Go's writer escapes these two, which are line ends to JavaScript.
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _number(value: float) -> str:
    """Write a float of YAML as Go does: its shortest digits, plain from 1e-6 up to 1e21."""
    if value == 0 or 1e-6 <= abs(value) < 1e21:  # noqa: PLR2004  (Go's bounds)
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return repr(value).replace("e-0", "e-")
