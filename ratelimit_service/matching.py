"""Which rule applies to a descriptor. Pure.

As in envoyproxy/ratelimit, the entries lead down the tree one by one: to the child that asks for exactly this key and
value, else to the child with this key and no value. No step is taken back: where an exact child lacks what follows, its
more general sibling is not tried. The rule is the one where the entries end; one deeper or higher does not apply.
"""

from __future__ import annotations

from collections.abc import Iterable

from ratelimit_service.model import Entry, Node


def match(root: Node, entries: Iterable[Entry]) -> Node | None:
    """Find the rule for `entries`, or None. A rule without a limit lets its descriptors pass uncounted."""
    node = root
    for entry in entries:
        child = node.exact.get(entry) or node.any_value.get(entry[0])
        if child is None:
            return None
        node = child
    return node
