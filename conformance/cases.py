"""The cases of an OPA module, read; and each case's query as a rule that can be asked for.

A case is a query over policies, and the bindings of its variables that are wanted. An engine of compiled rules answers
rules: so the query becomes the body of one, whose value is the set of those bindings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from authz_service.rego_engine import values
from authz_service.rego_engine.values import UNDEFINED, Value

RULE = "conformance_query/result"
_BOOLEAN = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """YAML as OPA's cases mean it: `on` and dates are strings."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag not in {_BOOLEAN, "tag:yaml.org,2002:timestamp"}]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile("^(?:true|false)$"), list("tf"))


@dataclass(frozen=True, slots=True)
class Case:
    """One case; `version` is v0 or v1, `category` the folder that it is in."""

    version: str
    category: str
    note: str
    query: str
    modules: Sequence[str]
    data: Value
    input: Value
    input_term: str
    wanted: Sequence[Mapping[str, Value]] | None
    wanted_defined: bool | None
    wanted_code: str
    wanted_error: str
    sorts: bool
    strict: bool
    environment: Mapping[str, str]

    @property
    def wants_error(self) -> bool:
        """Whether the evaluation is to end in an error."""
        return bool(self.wanted_code or self.wanted_error)

    @property
    def needs_network(self) -> bool:
        """Whether it can only pass where hosts can be asked, which no policy can here."""
        return "net.lookup_ip_addr" in "".join(self.modules)

    @property
    def module(self) -> str:
        """The policy that holds the query."""
        names = sorted({name for bindings in self.wanted or () for name in bindings})
        bindings = "{" + ", ".join(f'"{name}": {name}' for name in names) + "}"
        query = " ".join(self.query.split())
        if query == "data = x":
            # All of data would hold the query itself, which is a rule here.
            roots = sorted(
                {found[1] for text in self.modules if (found := re.search(r"^package (\w+)", text, re.MULTILINE))}
            )
            query = "x := {" + ", ".join(f'"{root}": data.{root}' for root in roots) + "}"
        head = f"result[{bindings}]" if self.version == "v0" else f"result contains {bindings} if"
        return f"package conformance_query\n\n{head} {{ {query} }}\n"


def read(folder: Path, version: str) -> Iterator[Case]:
    """Read the cases of one version below `…/v1/test/cases/testdata`."""
    for file in sorted((folder / version).rglob("*.yaml")):
        for document in yaml.load_all(file.read_text("utf-8"), Loader=_Loader):
            for found in (document or {}).get("cases") or ():
                yield _case(found, version, file.relative_to(folder / version).parts[0])


def _case(found: Mapping[str, Any], version: str, category: str) -> Case:
    wanted = found.get("want_result")
    return Case(
        version=version,
        category=category,
        note=found["note"],
        query=found["query"],
        modules=found.get("modules") or (),
        data=_value(found.get("data") or {}),
        input=_value(found["input"]) if "input" in found else UNDEFINED,
        input_term=found.get("input_term") or "",
        wanted=None if wanted is None else [_value(each) for each in wanted],
        wanted_defined=found.get("want_defined"),
        wanted_code=found.get("want_error_code") or "",
        wanted_error=found.get("want_error") or "",
        sorts=bool(found.get("sort_bindings")),
        strict=bool(found.get("strict_error")),
        environment=found.get("env") or {},
    )


def _value(found: Any) -> Value:
    return values.read(json.dumps(found))
