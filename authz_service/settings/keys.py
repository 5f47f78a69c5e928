"""Keys in files of their own, in base64: what encrypts, hashes or stands for values."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from authz_service.dlp.tokens import KEY_BYTES, MAX_KEYS
from service_kit.secret_file import SecretFile, SecretFileError
from service_kit.strict_yaml import Section

_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{43}=")  # KEY_BYTES in base64


def read_keys(section: Section, key: str, names: Collection[str], folder: Path) -> tuple[bytes, ...]:
    """Read the files that a section names under `key`; what is wrong with one is a fault there."""
    if len(names) > MAX_KEYS:
        section.fault(key, f"must have at most {MAX_KEYS} items")
    found = []
    for name in filter(None, list(names)[:MAX_KEYS]):
        try:
            found.append(read_key(folder / name))
        except SecretFileError as error:
            section.fault(key, str(error))
    return tuple(found)


def read_key(path: Path) -> bytes:
    """Read a key of `KEY_BYTES`; raises `SecretFileError`, whose text says how such a file is made."""
    try:
        return base64.b64decode(SecretFile(path, _KEY).read())
    except SecretFileError as error:
        hint = f"it must hold {KEY_BYTES} bytes in base64, as of `openssl rand -base64 {KEY_BYTES}`"
        raise SecretFileError(f"cannot be used: {error}; {hint}") from error
