"""One section of a configuration, read from a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from service_kit import strict_yaml
from service_kit.faults import ConfigurationError, Faults
from service_kit.strict_yaml import Section

Read = TypeVar("Read")


def section_read(folder: Path, text: str, reader: Callable[[Section], Read]) -> Read:
    """Read a file of this text; the reader gets its root."""
    (folder / "section.yaml").write_text(text)
    found = Faults()
    with strict_yaml.read(folder / "section.yaml", found) as root:
        value = reader(root)
    found.raise_if_any()
    return value


def section_faults(folder: Path, text: str, reader: Callable[[Section], object]) -> list[tuple[int, str]]:
    """The faults of such a file: lines and texts."""
    with pytest.raises(ConfigurationError) as caught:
        section_read(folder, text, reader)
    assert {fault.source for fault in caught.value.faults} == {str(folder / "section.yaml")}
    return [(fault.line, fault.text) for fault in caught.value.faults]
