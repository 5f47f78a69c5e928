"""Generated source → code → what can be called.

Compiling holds the interpreter, so it happens where nobody waits for it; what comes out (`Code`) is bytes that another
process of the same Python can load, part by part.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from authz_service.rego_engine import runtime, values
from authz_service.rego_engine.builtins.registry import find
from authz_service.rego_engine.codegen.function import TooDeepError
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

Entry = Callable[[runtime.Evaluation, Value, Value], Value]

_RUNTIME: Final = (
    "MISSING", "Rules", "any_items", "any_keys", "any_values", "contains", "copied", "dot", "insert_once", "item_keys",
    "item_values", "items", "length", "memo_key", "merge", "probed", "upsert",
)  # fmt: skip


def _builtin(name: str) -> Callable[..., Value]:
    found = find(name)
    if found is None:
        raise KeyError(name)
    return found.function


NAMESPACE: Final[Mapping[str, Any]] = {
    "__name__": "policy",
    "BuiltinFault": BuiltinFault,
    "builtin": _builtin,
    "COUNTED": frozenset({str, list, dict, set}),
    "Decimal": Decimal,
    "NO_VALUE": (runtime.MISSING, values.UNDEFINED),
    "UNDEFINED": values.UNDEFINED,
    "equal": values.equal,
    "key": values.key,
    **{name: getattr(runtime, name) for name in _RUNTIME},
}


def compile_parts(parts: Sequence[str]) -> Iterator[bytes]:
    """Compile each part of a module's source.

    Raises:
        TooDeepError: it nests more than Python can, by a limit that the generator does not know.
    """
    for number, part in enumerate(parts):
        try:
            yield marshal.dumps(compile(part, f"<policy {number}>", "exec", dont_inherit=True))
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise TooDeepError from error


def load(code: Sequence[bytes], data: Value) -> Mapping[str, Entry]:
    """Run a module's code over its base document; return its entries."""
    namespace = {**NAMESPACE, "DATA": data}
    for part in code:
        exec(marshal.loads(part), namespace)  # noqa: S102, S302  (our own code; literals.py says why no policy is in it)
    entries: Mapping[str, Entry] = namespace["ENTRIES"]
    return entries
