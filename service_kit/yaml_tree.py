"""YAML from bytes to a tree of nodes with their places, bounded before it is built. The readers' types come after.

The bounds keep a hostile or broken file from costing more than it is worth: bytes, depth, and values with their aliases
followed. Only UTF-8 and only untagged values are taken, so that a text means what it looks like.
"""

from __future__ import annotations

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event, ScalarEvent
from yaml.nodes import MappingNode, Node, SequenceNode

from service_kit.faults import Faults

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64  # levels of nesting
MAX_NODES = 200_000  # values, aliases followed: what stops a "billion laughs" file

KINDS = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "a whole number",
    "tag:yaml.org,2002:float": "a number with a fraction",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
}


def kind_of(node: Node) -> str:
    """Name a node's type as a reader of the file would."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return KINDS.get(node.tag, f"of type {node.tag}")


def line_of(place: Node | Event) -> int:
    """The line where a node or an event begins, from 1."""
    return place.start_mark.line + 1 if place.start_mark else 0


def compose(
    data: bytes, source: str, faults: Faults, *, first_document: bool = False, max_nodes: int = MAX_NODES
) -> MappingNode | None:
    """Build the tree of a document whose root is a mapping; None where there is none, with the fault noted.

    With `first_document` further ones are passed over, with a warning.
    """
    if len(data) > MAX_BYTES:
        faults.add(source, 0, f"is larger than {MAX_BYTES} bytes")
        return None
    try:
        data.decode("utf-8")
        refusal = _refusal(data, max_nodes)
        root = None if refusal else _first(data, source, faults) if first_document else _only(data)
    except UnicodeDecodeError as error:
        faults.add(source, _line_at(data, error.start), f"is not UTF-8: {error.reason}")
        return None
    except yaml.reader.ReaderError as error:
        faults.add(source, _line_at(data, error.position), f"is not YAML: {error.reason}")
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        text = " ".join(filter(None, (error.context, error.problem)))
        faults.add(source, mark.line + 1 if mark else 0, f"is not YAML: {text}")
        return None
    if refusal:
        faults.add(source, *refusal)
        return None
    if root is None:
        faults.add(source, 0, "is empty")
        return None
    if not isinstance(root, MappingNode):
        faults.add(source, line_of(root), f"must be a mapping at its root, but is {kind_of(root)}")
        return None
    if _is_too_large(root, max_nodes):
        faults.add(source, 0, f"is nested deeper than {MAX_DEPTH} levels or has more than {max_nodes} values")
        return None
    return root


def _only(data: bytes) -> Node | None:
    return yaml.compose(data, Loader=yaml.CSafeLoader)


def _first(data: bytes, source: str, faults: Faults) -> Node | None:
    documents = yaml.compose_all(data, Loader=yaml.CSafeLoader)
    root = next(documents, None)
    further = next(documents, None)
    if further is not None:
        faults.warn(source, line_of(further), "is a second document, which is not read: of a file the first one counts")
    return root


def _line_at(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _refusal(data: bytes, max_nodes: int) -> tuple[int, str] | None:
    """Read the parser's events alone, and say where and why a file must not be built into a tree.

    Building recurses in C, where deep nesting would overflow the stack and end the process; events come one by one.
    """
    depth = values = 0
    event: Event
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        if isinstance(event, CollectionEndEvent):
            depth -= 1
        if not isinstance(event, AliasEvent | ScalarEvent | CollectionStartEvent):
            continue
        values += 1
        line = line_of(event)
        if isinstance(event, CollectionStartEvent):
            depth += 1
        if depth > MAX_DEPTH:
            return line, f"is nested deeper than {MAX_DEPTH} levels"
        if values > max_nodes:
            return line, f"has more than {max_nodes} values"
        if not isinstance(event, AliasEvent) and event.tag is not None:
            return line, f"has the tag {event.tag!r}, and tags are not allowed here"
    return None


def _is_too_large(root: Node, max_nodes: int) -> bool:
    """Walk the tree as a reader would, aliases followed, and give up at the bounds."""
    pending = [(root, 1)]
    seen = 1  # counted when noted, not when visited: what is pending is bounded too
    while pending:
        node, depth = pending.pop()
        children: list[Node] = []
        if isinstance(node, SequenceNode):
            children = node.value
        elif isinstance(node, MappingNode):
            children = [child for pair in node.value for child in pair]
        seen += len(children)
        if depth > MAX_DEPTH or seen > max_nodes:
            return True
        pending.extend((child, depth + 1) for child in children)
    return False
