"""How much memory values hold on to, about: what a bound in bytes has to count. Pure.

All of a value counts, names of objects too, whoever has sent it: what is left out of the sum is what would be sent to
get around the bound. What several values share counts for each of them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

_SEQUENCES = (list, tuple, set, frozenset)


def weigh(*values: Any) -> int:
    """Return the bytes of values of JSON's types, of sets, and of dataclasses made of them.

    The time is in proportion to how many there are within; none of the depth is on Python's stack.
    """
    weight = 0
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        weight += sys.getsizeof(value)
        if isinstance(value, str | bytes):
            continue
        if isinstance(value, Mapping):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, _SEQUENCES):
            waiting += value
        elif not isinstance(value, type) and (names := getattr(value, "__dataclass_fields__", None)) is not None:
            waiting += [getattr(value, name) for name in names]
    return weight
