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


def engine_of(
    text: str, *rules: str, data: Mapping[str, Any] | None = None, terms: Terms | None = None
) -> CompiledEngine:
    """Compile one module; the first rule decides."""
    revision = PolicySources({"t.rego": text}, data or {}).revision
    return CompiledEngine(policy_of(text, *rules, data=data), rules[0], revision, terms or Terms(), lambda: NOW_NS)
