"""Random numbers, for policies that take samples. They come from the evaluation's own source."""

from __future__ import annotations

from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import builtin, integer, string
from authz_service.rego_engine.errors import OperandFault
from authz_service.rego_engine.values import Value

MAX_BITS = 63  # of the number below which a random one is drawn


@builtin("rand.intn", context=True)
def random_below(context: Context, name: Value, limit: Value) -> Value:
    """A whole number from 0 up to, without it, the limit's magnitude; 0 for a limit of 0.

    Within one evaluation it is the same for the same name and magnitude.
    """
    place = ("rand.intn", string(name, 1), abs(integer(limit, 2)))
    below = place[2]
    if below.bit_length() > MAX_BITS:
        raise OperandFault(f"operand 2 must be a number of at most {MAX_BITS} bits")
    if below == 0:
        return 0
    if place not in context.cache:
        context.cache[place] = context.random.randrange(below)
    return context.cache[place]
