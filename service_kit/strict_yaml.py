"""YAML read strictly: unknown keys, repeated keys and wrong types are faults, each with file and line, all at once.

A `Section` is a mapping that is being read. Each key is asked for by name and type; on leaving the `with` block every
key that nobody asked for is a fault. A fault never stops the reading: the reader returns a placeholder of the right
type, and `Faults.raise_if_any` stops the configuration as a whole.

    with strict_yaml.read(path, faults) as root, root.section("listen") as listen:
        grpc = listen.text("grpc")
    faults.raise_if_any()

Formats that have been read less strictly elsewhere are read with `lenient`: of a repeated key the last counts, `<<`
merges mappings, `y` and `n` are true and false, `010` is octal, and documents after the first are passed over. The
first and the last are warnings then.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from service_kit import yaml_tree
from service_kit.faults import Faults
from service_kit.yaml_tree import KINDS, MAX_BYTES, MAX_NODES, kind_of, line_of

LENIENT_MAX_NODES = 1_000_000  # such files exist, and are large
MAX_DIGITS = 64  # characters of a number
_DECIMAL = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)")


@dataclass(slots=True)
class Section:
    """One mapping of the file while it is being read. `path` is how messages call it, such as `identity.issuers[0]`."""

    source: str
    line: int
    path: str
    faults: Faults
    entries: dict[str, Node]
    lenient: bool = False
    _asked: set[str] = field(default_factory=set)
    _key_lines: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._refuse_unknown_keys()

    def has(self, key: str) -> bool:
        """Whether the file gives `key` a value other than nothing."""
        self._asked.add(key)
        node = self.entries.get(key)
        return node is not None and node.tag != "tag:yaml.org,2002:null"

    def line_of(self, key: str) -> int:
        """The line of `key`'s value, or of the section where the key is absent."""
        node = self.entries.get(key)
        return line_of(node) if node is not None else self.line

    def fault(self, key: str, text: str) -> None:
        """Note a fault at `key`."""
        self.faults.add(self.source, self.line_of(key), f"{self._name(key)} {text}")

    def text(self, key: str, default: str | None = None) -> str:
        """Read text that is not empty; required where there is no default."""
        node = self._scalar(key, "str", required=default is None)
        if node is None:
            return default or ""
        if not node.value:
            self.fault(key, "must not be empty")
        return str(node.value)

    def raw_text(self, key: str, default: str | None = None) -> str:
        """Read any scalar as the text that stands in the file: `yes`, `007` and `1.10` stay as they are written."""
        if not self._present(key, required=default is None):
            return default or ""
        node = self.entries[key]
        if not isinstance(node, ScalarNode):
            self.fault(key, f"must be a single value, but is {kind_of(node)}")
            return ""
        return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)

    def choice(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        """Read one of a few words. An unquoted `on` or `no` counts as the word it looks like."""
        value = self.raw_text(key, default)
        if value in choices or (default is not None and not self.has(key)):
            return value
        if isinstance(self.entries.get(key), ScalarNode) and self.has(key):
            self.fault(key, f"must be one of {', '.join(choices)}, but is {value!r}")
        return next(iter(choices))

    def integer(self, key: str, *, minimum: int, maximum: int, default: int | None = None) -> int:
        """Read a whole number within bounds, both included."""
        node = self._scalar(key, "int", required=default is None)
        if node is None:
            return default if default is not None else minimum
        if len(node.value) > MAX_DIGITS:
            self.fault(key, f"must be from {minimum} to {maximum}, but has more than {MAX_DIGITS} digits")
            return minimum
        try:
            text = node.value.replace("_", "")
            octal = self.lenient and text.lstrip("+-").startswith("0") and text.lstrip("+-").isdecimal()
            value = int(text, 8 if octal else 0)
        except ValueError:
            self.fault(key, f"must be a decimal whole number, but is {node.value!r}")
            return minimum
        if not minimum <= value <= maximum:
            self.fault(key, f"must be from {minimum} to {maximum}, but is {value}")
            return minimum
        return value

    def decimal(self, key: str, *, minimum: float, maximum: float, default: float | None = None) -> float:
        """Read a number within bounds, both included; it can have a fraction, `0.9`."""
        if not self._present(key, required=default is None):
            return default if default is not None else minimum
        node = self.entries[key]
        if not isinstance(node, ScalarNode) or node.tag not in {"tag:yaml.org,2002:float", "tag:yaml.org,2002:int"}:
            self.fault(key, f"must be a number, but is {kind_of(node)}")
            return minimum
        written = node.value if len(node.value) <= MAX_DIGITS else ""  # what is longer is read as none
        if not _DECIMAL.fullmatch(written):
            self.fault(key, f"must be a decimal number of at most {MAX_DIGITS} characters, such as 0.9")
            return minimum
        if not minimum <= float(written) <= maximum:
            self.fault(key, f"must be from {minimum:g} to {maximum:g}, but is {written}")
            return minimum
        return float(written)

    def flag(self, key: str) -> bool:
        """Read true or false, as YAML 1.1 writes them (`yes` and `on` too); false where it is absent."""
        found = self.entries.get(key)
        if self.lenient and isinstance(found, ScalarNode) and not found.style and found.value in set("yYnN"):
            self._asked.add(key)
            return found.value in set("yY")
        node = self._scalar(key, "bool", required=False)
        return node is not None and node.value.lower() in {"true", "yes", "on"}

    def pass_over(self, keys: Collection[str]) -> list[str]:
        """Take keys that mean nothing here for no fault; return those that are there and were not asked for."""
        there = [key for key in self.entries if key in keys and key not in self._asked]
        self._asked.update(there)
        return there

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """Read a list of texts; where it is required it must have at least one."""
        nodes = self._items(key, required=required)
        for index, node in enumerate(nodes):
            if node.tag != "tag:yaml.org,2002:str" or not node.value:
                self.faults.add(
                    self.source, line_of(node), f"{self._name(key)}[{index}] must be text, but is {kind_of(node)}"
                )
        return tuple(str(node.value) for node in nodes)

    def lines_of(self, key: str) -> tuple[int, ...]:
        """The line of each item of a list; of anything else none."""
        node = self.entries.get(key)
        return tuple(map(line_of, node.value)) if isinstance(node, SequenceNode) else ()

    def section(self, key: str, *, required: bool = True) -> Section:
        """Read a mapping below this one; an absent one reads as empty."""
        if not self._present(key, required=required):
            return Section(self.source, self.line, self._name(key), self.faults, {}, self.lenient)
        return self._open(self.entries[key], self._name(key))

    def sections(self, key: str, *, required: bool = False) -> tuple[Section, ...]:
        """Read a list of mappings."""
        nodes = self._items(key, required=required)
        return tuple(self._open(node, f"{self._name(key)}[{index}]") for index, node in enumerate(nodes))

    def plain(self) -> dict[str, Any]:
        """The whole mapping as plain values, for documents whose shape is free, such as a policy's data."""
        self._asked.update(self.entries)
        return {key: self._plain(node, self._name(key)) for key, node in self.entries.items()}

    def _plain(self, node: Node, path: str) -> Any:
        if isinstance(node, MappingNode):
            return {key: self._plain(child, f"{path}.{key}") for key, child in self._open(node, path).entries.items()}
        if isinstance(node, SequenceNode):
            return [self._plain(child, f"{path}[{index}]") for index, child in enumerate(node.value)]
        constructor = yaml.SafeLoader("")
        try:
            value = constructor.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self.faults.add(self.source, line_of(node), f"{path} is not a value: {node.value!r}")
            return None
        if (isinstance(value, float) and not math.isfinite(value)) or (
            isinstance(value, int) and len(node.value) > MAX_DIGITS
        ):
            self.faults.add(self.source, line_of(node), f"{path} is a number that JSON cannot carry")
            return None
        return value if isinstance(value, str | int | float | bool | None) else str(node.value)

    def _open(self, node: Node, path: str) -> Section:
        if isinstance(node, MappingNode):
            return _section(node, self.source, path, self.faults, lenient=self.lenient)
        self.faults.add(self.source, line_of(node), f"{path} must be a mapping, but is {kind_of(node)}")
        return Section(self.source, line_of(node), path, self.faults, {}, self.lenient)

    def _items(self, key: str, *, required: bool) -> list[Node]:
        if not self._present(key, required=required):
            return []
        node = self.entries[key]
        if not isinstance(node, SequenceNode):
            self.fault(key, f"must be a list, but is {kind_of(node)}")
            return []
        if required and not node.value:
            self.fault(key, "must have at least one item")
        return list(node.value)

    def _scalar(self, key: str, tag: str, *, required: bool) -> ScalarNode | None:
        if not self._present(key, required=required):
            return None
        node = self.entries[key]
        wanted = f"tag:yaml.org,2002:{tag}"
        if not isinstance(node, ScalarNode) or node.tag != wanted:
            hint = " (put it in quotes)" if tag == "str" and isinstance(node, ScalarNode) else ""
            self.fault(key, f"must be {KINDS[wanted]}, but is {kind_of(node)}{hint}")
            return None
        return node

    def _present(self, key: str, *, required: bool) -> bool:
        present = self.has(key)
        if required and not present:
            self.faults.add(self.source, self.line_of(key), f"{self._name(key)} is missing")
        return present

    def _name(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _refuse_unknown_keys(self) -> None:
        for key in self.entries.keys() - self._asked:
            near = difflib.get_close_matches(key, sorted(self._asked), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(self._asked))}"
            where = f" in {self.path}" if self.path else ""
            self.faults.add(self.source, self._key_lines[key], f"unknown key {key!r}{where}{hint}")


def read(path: Path, faults: Faults, *, lenient: bool = False) -> Section:
    """Read a file whose root is a mapping. What cannot be read at all is a fault too, and reads as an empty mapping."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        faults.add(str(path), 0, f"cannot be read: {error.strerror}")
        return _nothing(str(path))
    return parse(data, str(path), faults, lenient=lenient)


def parse(data: bytes, source: str, faults: Faults, *, lenient: bool = False) -> Section:
    """Read YAML from bytes; `source` is what faults call it."""
    most = LENIENT_MAX_NODES if lenient else MAX_NODES
    root = yaml_tree.compose(data, source, faults, first_document=lenient, max_nodes=most)
    return _nothing(source) if root is None else _section(root, source, "", faults, lenient=lenient)


def _nothing(source: str) -> Section:
    """A section that swallows the faults of an unreadable file: one message says it all."""
    return Section(source, 0, "", Faults(), {})


def _section(node: MappingNode, source: str, path: str, faults: Faults, *, lenient: bool) -> Section:
    entries: dict[str, Node] = {}
    lines: dict[str, int] = {}
    merged: list[Node] = []
    where = f" in {path}" if path else ""
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            faults.add(source, line_of(key), f"a key{where} must be text, but is {kind_of(key)}")
            continue
        if lenient and key.tag == "tag:yaml.org,2002:merge":
            merged += value.value if isinstance(value, SequenceNode) else [value]
            continue
        if key.value in entries and not lenient:
            faults.add(source, line_of(key), f"repeated key {key.value!r}{where}")
            continue
        if key.value in entries:
            faults.warn(source, line_of(key), f"repeated key {key.value!r}{where}: the last one counts")
        entries[key.value] = value
        lines[key.value] = line_of(key)
    for mapping in merged:
        if not isinstance(mapping, MappingNode):
            faults.add(source, line_of(mapping), f"<<{where} must merge a mapping, but merges {kind_of(mapping)}")
            continue
        further = _section(mapping, source, path, faults, lenient=True)
        for name, node_of_value in further.entries.items():
            if name not in entries:  # what the mapping has itself goes before what is merged into it
                entries[name] = node_of_value
                lines[name] = further._key_lines[name]  # noqa: SLF001  (its own class)
    return Section(source, line_of(node), path, faults, entries, lenient, _key_lines=lines)
