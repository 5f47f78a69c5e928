"""Engines of policies that stand in a test, compiled in the test's own process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authz_service.policy.compiled_engine import CompiledEngine, Terms
from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine.compiled import CompiledPolicy, compile_plan

NOW_NS = 1_700_000_000_123_456_789


def policy_of(text: str, *rules: str, data: Mapping[str, Any] | None = None) -> CompiledPolicy:
    """Compile one module for some rules."""
    sources = PolicySources({"t.rego": text}, data or {})
    return compile_plan(compile_sources(sources, rules), sources.data)


class Asked(CompiledEngine):
    """An engine that is asked for one rule."""

    def __init__(self, policy: CompiledPolicy, rule: str, revision: str, terms: Terms) -> None:
        super().__init__(policy, revision, terms, lambda: NOW_NS)
        self._rule = rule

    def value(self, document: Mapping[str, Any]) -> Any:
        """What the rule says."""
        return self.evaluate(self._rule, document)


def engine_of(text: str, *rules: str, data: Mapping[str, Any] | None = None, terms: Terms | None = None) -> Asked:
    """Compile one module, to be asked for the first rule."""
    revision = PolicySources({"t.rego": text}, data or {}).revision
    return Asked(policy_of(text, *rules, data=data), rules[0], revision, terms or Terms())
