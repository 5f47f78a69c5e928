"""What is wrong with a configuration: every fault with its place, all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong: `source` is a file or a variable's name, `line` counts from 1, 0 where there is none."""

    source: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.text}" if self.line else f"{self.source}: {self.text}"


class ConfigurationError(Exception):
    """A configuration that cannot be used. Its text is one line for each fault, in the order of file and line."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(slots=True)
class Faults:
    """Collects faults while a configuration is read, so that an operator sees all of them in one run.

    `warnings` are what can be used as it is, but may not mean what its author thinks.
    """

    found: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def add(self, source: str, line: int, text: str) -> None:
        """Note a fault and go on reading."""
        self.found.append(Fault(source, line, text))

    def warn(self, source: str, line: int, text: str) -> None:
        """Note what is no fault, and yet worth telling."""
        self.warnings.append(Fault(source, line, text))

    def raise_if_any(self) -> None:
        """Raise `ConfigurationError` when a fault was noted."""
        if self.found:
            raise ConfigurationError(self.found)


def faults_to_json(faults: Sequence[Fault]) -> list[dict[str, object]]:
    """Faults as JSON has them."""
    return [{"source": fault.source, "line": fault.line, "text": fault.text} for fault in faults]
