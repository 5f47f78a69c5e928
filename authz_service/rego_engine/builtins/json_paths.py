"""Built-in functions that keep or drop parts of a value by path: json.filter and json.remove. Also how paths are read.

A path is a string, its segments separated by "/" and escaped as JSON pointers are (RFC 6901 section 3), the leading "/"
optional; or an array of segments. In an array a segment is an index written as a string; in a set it is the member.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from authz_service.rego_engine.builtins.registry import builtin, collection, obj, wrong
from authz_service.rego_engine.errors import OperandFault
from authz_service.rego_engine.values import Value, key, plain, type_name

MAX_SEGMENTS: Final = 1_000  # of one path: deeper than any value that is read

Tree = dict[Hashable, "Tree | None"]  # segments by `key`; None ends a path, and takes in all that lies below


def path_segments(path: Value) -> list[Value]:
    """Return a path's segments; of none when it names the whole value.

    Raises:
        OperandFault: it is neither a string nor an array, or has more than `MAX_SEGMENTS`.
    """
    if type(path) is str:
        if not path:
            return []
        parts = path.lstrip("/").split("/")
        segments: list[Value] = [part.replace("~1", "/").replace("~0", "~") if "~" in part else part for part in parts]
    elif type(path) is list:
        segments = path
    else:
        raise OperandFault(
            "operand 2 must be one of {set, array} containing string paths or array of path segments"
            f" but got {type_name(path)}"
        )
    if len(segments) > MAX_SEGMENTS:
        raise OperandFault(f"operand 2 must have paths of at most {MAX_SEGMENTS} segments")
    return segments


def _tree(paths: Value) -> Tree:
    if type(paths) is not list and type(paths) is not set:
        raise wrong(paths, 2, "set", "array")
    root: Tree = {}
    for path in map(path_segments, collection(paths, 2)):
        if not path:
            continue
        node = root
        for segment in path[:-1]:
            below = node.setdefault(key(segment), {})
            if below is None:
                break
            node = below
        else:
            node[key(path[-1])] = None
    return root


@builtin("json.filter")
def json_filter(document: Value, paths: Value) -> Value:
    """Return what an object has at some paths, in its place."""
    return _filtered(obj(document, 1), _tree(paths))


def _filtered(value: Value, tree: Tree | None) -> Value:
    if tree is None:
        return value
    if type(value) is dict:
        return {name: _filtered(value[name], below) for name, below in tree.items() if name in value}
    if type(value) is list:
        return [_filtered(item, tree[str(index)]) for index, item in enumerate(value) if str(index) in tree]
    if type(value) is set:
        return {key(_filtered(plain(item), tree[item])) for item in value if item in tree}
    return value


@builtin("json.remove")
def json_remove(document: Value, paths: Value) -> Value:
    """Return an object without what it has at some paths; later items of an array move up."""
    return _remaining(obj(document, 1), _tree(paths))


def _remaining(value: Value, tree: Tree) -> Value:
    """Return a value without what `tree` ends at."""
    if type(value) is dict:
        kept = {}
        for name, item in value.items():
            below = tree.get(name, _ELSEWHERE)
            if below is not None:
                kept[name] = _remaining(item, below) if below else item
        return kept
    if type(value) is list:
        found = ((item, tree.get(str(index), _ELSEWHERE)) for index, item in enumerate(value))
        return [_remaining(item, below) if below else item for item, below in found if below is not None]
    if type(value) is set:
        met = ((item, tree.get(item, _ELSEWHERE)) for item in value)
        return {key(_remaining(plain(item), below)) if below else item for item, below in met if below is not None}
    return value


_ELSEWHERE: Final[Tree] = {}  # no path leads here
