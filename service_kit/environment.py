"""Environment variables read strictly: typed, bounded, every fault by name, all at once."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from service_kit.faults import Faults

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?(?=\.?[0-9])[0-9]{0,9}(\.[0-9]{1,9})?")
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h)")
_DURATION = re.compile(rf"(?:{_PART.pattern}){{1,4}}")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_BOOLEANS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


@dataclass(frozen=True, slots=True)
class Environment:
    """Reads the variables that `defaults` names: no default is anywhere else. After a fault a reader goes on.

    It then returns some value of its type, which nobody may use. An empty variable counts as unset, as in most
    container platforms.
    """

    values: Mapping[str, str]
    defaults: Mapping[str, str]
    faults: Faults

    def text(self, name: str) -> str:
        """Read text."""
        return self.values.get(name) or self.defaults[name]

    def integer(self, name: str, *, minimum: int, maximum: int) -> int:
        """Read a whole number within bounds, both included."""
        value = self.text(name)
        if _INTEGER.fullmatch(value) is None or not minimum <= int(value) <= maximum:
            self.faults.add(name, 0, f"must be a whole number from {minimum} to {maximum}, but is {value!r}")
            return minimum
        return int(value)

    def number(self, name: str, *, minimum: float, maximum: float) -> float:
        """Read a number such as 0.8 within bounds, both included."""
        value = self.text(name)
        if _NUMBER.fullmatch(value) is None or not minimum <= float(value) <= maximum:
            self.faults.add(name, 0, f"must be a number from {minimum:g} to {maximum:g}, but is {value!r}")
            return minimum
        return float(value)

    def flag(self, name: str) -> bool:
        """Read true or false."""
        value = self.text(name)
        if value.lower() not in _BOOLEANS:
            self.faults.add(name, 0, f"must be true or false, but is {value!r}")
        return _BOOLEANS.get(value.lower(), False)

    def choice(self, name: str, choices: Collection[str]) -> str:
        """Read one of a few words, whatever their case."""
        value = self.text(name).lower()
        if value not in choices:
            self.faults.add(name, 0, f"must be one of {', '.join(choices)}, but is {value!r}")
            return next(iter(choices))
        return value

    def seconds(self, name: str, *, minimum: float, maximum: float) -> float:
        """Read a duration such as `10ms`, `1.5s`, `1m30s`, in seconds, as are the bounds, both included."""
        value = self.text(name)
        if _DURATION.fullmatch(value) is None:
            self.faults.add(name, 0, f"must be a duration such as 10ms, 2s or 5m, but is {value!r}")
            return minimum
        seconds = math.fsum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(value))
        if not minimum <= seconds <= maximum:
            self.faults.add(name, 0, f"must be from {_written(minimum)} to {_written(maximum)}, but is {value!r}")
            return minimum
        return seconds

    def file(self, name: str) -> Path | None:
        """Read the path of a file, which must exist; None where the text is empty."""
        value = self.text(name)
        if not value:
            return None
        path = Path(value)
        try:
            there = path.is_file()
        except (OSError, ValueError):
            there = False
        if not there:
            self.faults.add(name, 0, f"names no file: {value}")
        return path


def _written(seconds: float) -> str:
    return f"{seconds:g}s" if seconds >= 1 else f"{seconds * 1000:g}ms"
