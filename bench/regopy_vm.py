"""regopy's own virtual machine: what the engine is compared with, in benchmarks and as an oracle in tests.

The input goes in as JSON text: regopy's value builder neither escapes quotes nor takes a NUL.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from authz_service.policy.regopy_library import Interpreter, LogLevel, RegoError
from authz_service.policy.sources import PolicySources


class RegopyVm:
    """Policies compiled for some rules. Not thread-safe."""

    def __init__(self, sources: PolicySources, rules: Sequence[str]) -> None:
        """Raise regopy's own error where it does not take them."""
        self._interpreter = Interpreter()
        self._interpreter.log_level = LogLevel.NONE
        for name, text in sources.modules.items():
            self._interpreter.add_module(name, text)
        self._interpreter.add_data_json(json.dumps(sources.data, ensure_ascii=False))
        self._bundle = self._interpreter.build(None, list(rules))

    def evaluate(self, rule: str, document: Any) -> object:
        """Evaluate a rule, and return what the library gives for it."""
        self._interpreter.set_input_term(json.dumps(document, ensure_ascii=False))
        return self._interpreter.query_bundle_entrypoint(self._bundle, rule)

    def outcome(self, rule: str, document: Any) -> Sequence[Any]:
        """Return `["value", V]`, `[]` where the rule is undefined, or `["error"]`."""
        try:
            output: Any = self.evaluate(rule, document)
            results = output.results
        except RegoError:
            return ["error"]
        if not results:
            return ["error"]
        expressions = results[0].expressions
        return ["value", expressions[0]] if expressions else []
