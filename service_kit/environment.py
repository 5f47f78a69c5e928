"""Environment variables read strictly: typed, bounded, every fault by name, all at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from service_kit.faults import Faults

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_BOOLEANS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


@dataclass(frozen=True, slots=True)
class Environment:
    """Reads a mapping of variables. An empty variable counts as unset, as in most container platforms."""

    values: Mapping[str, str]
    faults: Faults

    def text(self, name: str, default: str) -> str:
        """Read text."""
        return self.values.get(name) or default

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        """Read a whole number within bounds, both included."""
        value = self.values.get(name)
        if not value:
            return default
        if _INTEGER.fullmatch(value) is None or not minimum <= int(value) <= maximum:
            self.faults.add(name, 0, f"must be a whole number from {minimum} to {maximum}, but is {value!r}")
            return default
        return int(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self.values.get(name)
        if not value:
            return default
        if value.lower() not in _BOOLEANS:
            self.faults.add(name, 0, f"must be true or false, but is {value!r}")
            return default
        return _BOOLEANS[value.lower()]

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """Read one of a few words, whatever their case."""
        value = self.text(name, default).lower()
        if value not in choices:
            self.faults.add(name, 0, f"must be one of {', '.join(choices)}, but is {value!r}")
            return default
        return value

    def seconds(self, name: str, default: float) -> float:
        """Read a duration such as `10ms`, `2s`, `5m`, `1h`, in seconds."""
        value = self.values.get(name)
        if not value:
            return default
        match = _DURATION.fullmatch(value)
        if match is None:
            self.faults.add(name, 0, f"must be a duration such as 10ms, 2s or 5m, but is {value!r}")
            return default
        return int(match[1]) * _SECONDS[match[2]]
