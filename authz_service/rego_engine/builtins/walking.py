"""Walking through a value: every value within it, each with the path that leads there."""

from __future__ import annotations

from authz_service.rego_engine.builtins.registry import builtin
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, entries, members

MAX_STEPS = 1_000_000  # of all paths together, counting one more for each value


@builtin("walk")
def walk(value: Value) -> Value:
    """Array of `[path, value]`, for the value itself and all that it holds: outer before inner, in Rego's order."""
    found: list[Value] = []
    waiting: list[tuple[list[Value], Value]] = [([], value)]
    steps = 0
    while waiting:
        path, current = waiting.pop()
        found.append([path, current])
        kind = type(current)
        if kind is dict:
            children = entries(current)
        elif kind is list:
            children = list(enumerate(current))
        elif kind is set:
            children = [(member, member) for member in members(current)]
        else:
            continue
        steps += (len(path) + 2) * len(children)
        if steps > MAX_STEPS:
            raise BuiltinFault(f"paths have more than {MAX_STEPS} steps")
        waiting.extend(([*path, step], item) for step, item in reversed(children))
    return found
