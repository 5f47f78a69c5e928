"""Built-in functions that tell of the evaluation itself, or to whoever reads its output: print, trace, opa.runtime.

`print` reaches the engine as internal.print: each operand comes as the set of the values that it may have, and a line
is printed for each combination. What goes to the output is bounded, and never changes an answer.

There is no rego.parse_module: no parser is at hand while policies run, so that one that calls it is refused at load.
"""

from __future__ import annotations

import itertools
from typing import Final

from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import array, builtin, string
from authz_service.rego_engine.builtins.rego_text import show
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, members

MAX_LINES: Final = 100  # of one call of `print`; further combinations are dropped
MAX_LINE: Final = 10_000  # characters; the rest of a longer line is dropped
_UNDEFINED: Final = "<undefined>"


@builtin("internal.print", context=True)
def internal_print(context: Context, operands: Value) -> Value:
    """Print the operands, a space between them; true, whatever they are."""
    if context.printed is not None:
        choices = [_choices(operand) for operand in array(operands, 1)]
        for line in itertools.islice(itertools.product(*choices), MAX_LINES):
            context.printed(" ".join(line)[:MAX_LINE])
    return True


def _choices(operand: Value) -> list[str]:
    values = members(operand) if type(operand) is set else [operand]
    return list(map(_shown, values[:MAX_LINES])) or [_UNDEFINED]


def _shown(value: Value) -> str:
    try:
        return show(value)
    except BuiltinFault:  # a number in it has too many digits to be written
        return "<too large>"


@builtin("trace", context=True)
def trace(context: Context, note: Value) -> Value:
    """Print a note; true."""
    text = string(note, 1)
    if context.printed is not None:
        context.printed(text[:MAX_LINE])
    return True


@builtin("opa.runtime", context=True)
def opa_runtime(context: Context) -> Value:
    """Return what the evaluation was given to say of where it runs."""
    return dict(context.runtime)


@builtin("internal.test_case", context=True)
def mark_test_case(context: Context, names: Value) -> Value:  # noqa: ARG001  (a mark for tracers alone)
    """Mark a case within a test; true."""
    return True


@builtin("rego.metadata.chain", pure=False)
def metadata_chain() -> Value:
    """Refuse: the compiler puts the annotations in the place of each call within a rule."""
    raise BuiltinFault("the rego.metadata.chain function must only be called within the scope of a rule")


@builtin("rego.metadata.rule", pure=False)
def metadata_rule() -> Value:
    """Refuse, as `metadata_chain` does."""
    raise BuiltinFault("the rego.metadata.rule function must only be called within the scope of a rule")
