"""Which rule applies to a descriptor. Pure.

As in envoyproxy/ratelimit, the entries lead down the tree one by one: to the child that asks for exactly this key and
value, else to the first in the file whose `*` take them, else to the child with this key and no value. No step is taken
back: where an exact child lacks what follows, its more general sibling is not tried. The rule is the one where the
entries end; one deeper or higher does not apply.
"""

from __future__ import annotations

from collections.abc import Iterable

from ratelimit_service.rules import Entry, Node


def step(node: Node, entry: Entry) -> Node | None:
    """Go one level down."""
    found = node.exact.get(entry)
    if found is not None:
        return found
    for wildcard in node.wildcards:
        if wildcard.matches(entry):
            return wildcard.node
    return node.any_value.get(entry[0])


def match(root: Node, entries: Iterable[Entry]) -> Node | None:
    """Find the rule for `entries`, or None. A rule without a limit lets its descriptors pass uncounted."""
    node: Node | None = root
    for entry in entries:
        if node is None:
            return None
        node = step(node, entry)
    return node
