"""The engine port over regopy's virtual machine.

The input goes in as JSON text: regopy's own value builder neither escapes quotes nor takes a NUL. Not thread-safe: an
engine belongs to the event loop that made it.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from authz_service.errors import PolicyFailed
from authz_service.policy.engine import UNDEFINED
from authz_service.policy.regopy_compiler import compile_bundle
from authz_service.policy.regopy_library import Interpreter, LogLevel, RegoError
from authz_service.policy.sources import PolicySources, read_sources


class RegopyEngine:
    """One compiled bundle and the rule that decides."""

    def __init__(self, bundle: Path, decision: str, revision: str) -> None:
        """Load a bundle that `compile_bundle` made; its folder may be removed afterwards."""
        self._interpreter = Interpreter()
        self._interpreter.log_level = LogLevel.NONE
        self._bundle = self._interpreter.load_bundle(str(bundle))
        self._decision = decision
        self._revision = revision

    @property
    def revision(self) -> str:
        """The sources' revision."""
        return self._revision

    def evaluate(self, document: Mapping[str, Any]) -> Any:
        """Evaluate the decision rule."""
        return self.evaluate_rule(self._decision, document)

    def evaluate_rule(self, rule: str, document: Mapping[str, Any]) -> Any:
        """Evaluate one of the rules that the bundle was compiled for."""
        try:
            self._interpreter.set_input_term(json.dumps(document, ensure_ascii=False))
            results = self._interpreter.query_bundle_entrypoint(self._bundle, rule).results
        except (RegoError, TypeError, ValueError, RecursionError) as error:
            raise PolicyFailed(f"evaluation failed: {type(error).__name__}") from error
        if not results:
            raise PolicyFailed("evaluation failed")
        expressions = results[0].expressions
        return expressions[0] if expressions else UNDEFINED


async def load_engine(paths: Sequence[Path], decision: str) -> RegopyEngine:
    """Read, compile and load the policies below `paths`, or raise `ConfigurationError` with every fault."""
    sources = await asyncio.to_thread(read_sources, paths)
    return await build_engine(sources, [decision])


async def build_engine(sources: PolicySources, rules: Sequence[str]) -> RegopyEngine:
    """Compile sources for some rules, the first of which decides."""
    with tempfile.TemporaryDirectory(prefix="agent-gateway-policy-") as folder:
        bundle = await compile_bundle(sources, rules, Path(folder))
        return RegopyEngine(bundle, rules[0], sources.revision)
