"""The files of a bundle by name: bounded and checked while they are gathered, hostile until then.

A name is the file's path in the bundle, without the `/` or `./` that some writers put in front.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from service_kit.faults import Faults

MAX_FILES: Final = 2_000
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
MAX_BYTES: Final = 64 * 1024 * 1024  # of all files together, unpacked
MAX_NAME_BYTES: Final = 512
MAX_FOLDERS: Final = 16  # levels of folders above a file
MAX_FAULTS: Final = 100  # then reading stops: a file made of faults must not fill the log
MAX_SHOWN: Final = 80  # characters of a bundle's own text in a message


def shown(text: str) -> str:
    """Quote a text of unknown origin for a message: short, and with every character that does not print escaped."""
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…")


def canonical_name(raw: str) -> str:
    """Return a file's name in the bundle; the bundle's own folder is "".

    Raises:
        ValueError: it leads elsewhere, could be read in more than one way, or is too long. The text says which.
    """
    name = raw.removeprefix("/") if raw.startswith("/") else raw.removeprefix("./")
    if name in {"", "."}:
        return ""
    if any(unicodedata.category(character).startswith("C") for character in name):
        raise ValueError("has control characters or is not UTF-8")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise ValueError(f"is longer than {MAX_NAME_BYTES} bytes")
    if "\\" in name:
        raise ValueError("has a backslash, which is a separator to some")
    segments = name.split("/")
    if len(segments) > MAX_FOLDERS + 1:
        raise ValueError(f"is more than {MAX_FOLDERS} folders deep")
    if not {"", ".", ".."}.isdisjoint(segments):
        raise ValueError("has an empty or a dot segment")
    return name


class Gathering:
    """Files on their way into a bundle. `source` is what faults call the bundle."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.faults = Faults()
        self._files: dict[str, bytes] = {}
        self._bytes = 0

    def fault(self, text: str) -> None:
        """Note a fault of the bundle as a whole; too many of them end the reading."""
        self.faults.add(self.source, 0, text)
        if len(self.faults.found) >= MAX_FAULTS:
            self.faults.raise_if_any()

    def refuse(self, raw: str, text: str) -> None:
        """Note what is wrong with the file of this name."""
        self.fault(f"the file {shown(raw)} {text}")

    def name(self, raw: str) -> str | None:
        """Return the name in its one form; a bad one is a fault, and None."""
        try:
            return canonical_name(raw)
        except ValueError as error:
            self.fault(f"the name {shown(raw)} {error}")
            return None

    def add(self, raw: str, content: bytes) -> None:
        """Take in one file.

        Raises:
            ConfigurationError: the bundle as a whole is beyond its bounds; there is no point in reading on.
        """
        name = self.name(raw)
        if name is None:
            return
        if not name:
            self.refuse(raw, "has no name")
        elif name in self._files:
            self.refuse(raw, "is there twice")
        elif len(content) > MAX_FILE_BYTES:
            self.refuse(raw, f"is larger than {MAX_FILE_BYTES} bytes")
        else:
            self._files[name] = content
            self._bytes += len(content)
            self._check_bounds()

    def _check_bounds(self) -> None:
        if self._bytes > MAX_BYTES:
            self.fault(f"has more than {MAX_BYTES} bytes of files")
            self.faults.raise_if_any()
        if len(self._files) > MAX_FILES:
            self.fault(f"has more than {MAX_FILES} files")
            self.faults.raise_if_any()

    def finish(self) -> Mapping[str, bytes]:
        """Return the files, or raise `ConfigurationError` with every fault."""
        self.faults.raise_if_any()
        return MappingProxyType(self._files)
