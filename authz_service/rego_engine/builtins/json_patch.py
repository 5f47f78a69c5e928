"""The built-in function json.patch: JSON Patch (RFC 6902) on any value, sets included.

A member of a set is its own path segment, and its own value where one is added. Nothing of the operands is changed:
each container on the way to an edit is copied the first time, and belongs to the patch from then on.
"""

from __future__ import annotations

from typing import Any, Final

from authz_service.rego_engine.builtins.json_paths import path_segments
from authz_service.rego_engine.builtins.registry import array, builtin
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import (
    UNDEFINED,
    Undefined,
    Value,
    equal,
    key,
    plain,
    type_name,
)

MAX_COPIED: Final = 1_000_000  # values that one patch's "copy" operations add, counted with all that they hold
_LONGEST_INDEX: Final = 18  # digits


@builtin("json.patch")
def json_patch(target: Value, patches: Value) -> Value:
    """Return what JSON Patch operations make of a value; the first that fails is a fault."""
    document = _Document(target)
    for operation in array(patches, 2):
        if type(operation) is not dict:
            raise BuiltinFault("must be an array of JSON-Patch objects, but at least one element is not an object")
        _apply(document, operation)
    if document.root is UNDEFINED:
        raise BuiltinFault("the patch removes the whole document")
    return document.root


def _apply(document: _Document, operation: dict[Any, Value]) -> None:
    _attribute(operation, "path")
    name = _attribute(operation, "op")
    if type(name) is not str:
        raise BuiltinFault(f"attribute 'op' must be a string but found: {type_name(name)}")
    path = path_segments(operation["path"])
    if name == "add":
        document.add(path, _attribute(operation, "value"))
    elif name == "remove":
        document.remove(path)
    elif name == "replace":
        document.remove(path)
        document.add(path, _attribute(operation, "value"))
    elif name == "move":
        source = path_segments(_attribute(operation, "from"))
        moved = document.find(source)
        document.remove(source)
        document.add(path, moved)
    elif name == "copy":
        document.copy(path_segments(_attribute(operation, "from")), path)
    elif name == "test":
        if not equal(document.find(path), _attribute(operation, "value")):
            raise BuiltinFault("the value is not the one that the patch tests for")
    else:
        raise BuiltinFault(f"unrecognized op: '{name}'")


def _attribute(operation: dict[Any, Value], name: str) -> Value:
    if name not in operation:
        raise BuiltinFault(f"missing required attribute '{name}'")
    return operation[name]


class _Document:
    """A value under edit. `root` is undefined while the whole of it is removed."""

    def __init__(self, root: Value) -> None:
        self.root: Value | Undefined = root
        self._own: dict[int, Value] = {}  # containers that no one else can see, by identity
        self._copied = 0

    def find(self, path: list[Value]) -> Value:
        """Return the value at a path."""
        if self.root is UNDEFINED:
            raise BuiltinFault("nil value encountered where composite value was expected")
        value = self.root
        for segment in path:
            value = _child(value, segment)
        return value

    def add(self, path: list[Value], value: Value) -> None:
        """Put a value at a path: into an array it is inserted, in an object it replaces."""
        if not path:
            self.root = value
        else:
            self.root = self._edited(self.find([]), path, 0, value)

    def remove(self, path: list[Value]) -> None:
        """Take away the value at a path."""
        found = self.find([])
        self.root = self._edited(found, path, 0, UNDEFINED) if path else UNDEFINED

    def copy(self, source: list[Value], path: list[Value]) -> None:
        """Put the value that is at one path at another."""
        value = self.find(source)
        self._copied += _size(value, MAX_COPIED - self._copied)
        if self._copied > MAX_COPIED:
            raise BuiltinFault(f"the patch copies more than {MAX_COPIED} values")
        self._own.clear()  # what was copied stands in two places now
        self.add(path, value)

    def _edited(self, value: Value, path: list[Value], depth: int, new: Value | Undefined) -> Value:
        """Return a container with `new` at `path[depth:]` below it, or with nothing there where `new` is undefined."""
        segment = path[depth]
        if depth == len(path) - 1:
            value = self._owned(value)
            if new is UNDEFINED:
                _delete(value, segment)
            else:
                _insert(value, segment, new)
            return value
        child = _child(value, segment)
        edited = self._edited(child, path, depth + 1, new)
        if type(value) is set:
            # `child` is the segment, not the member itself, so no later edit changes what is in the set.
            value = self._owned(value)
            value.discard(key(child))
            value.add(key(edited))
        elif edited is not child:
            value = self._owned(value)
            value[_index(value, segment) if type(value) is list else key(segment)] = edited
        return value

    def _owned(self, value: Value) -> Value:
        if id(value) in self._own:
            return value
        if type(value) is list or type(value) is dict or type(value) is set:
            value = value.copy()
            self._own[id(value)] = value
        return value


def _size(value: Value, limit: int) -> int:
    """Count a value with all that it holds, up to a little beyond `limit`."""
    count, waiting = 0, [value]
    while waiting and count <= limit:
        found = waiting.pop()
        count += 1
        if type(found) is list:
            waiting.extend(found)
        elif type(found) is dict:
            waiting.extend(found.values())
        elif type(found) is set:
            waiting.extend(map(plain, found))
    return count


def _child(value: Value, segment: Value) -> Value:
    if type(value) is list:
        index = _index(value, segment)
        if 0 <= index < len(value):
            return value[index]
    elif type(value) is dict:
        name = key(segment)
        if name in value:
            return value[name]
    elif type(value) is set:
        if key(segment) in value:
            return segment
    else:
        raise _no_container(value)
    raise BuiltinFault(f"path does not exist in {type_name(value)} term")


def _insert(value: Value, segment: Value, new: Value) -> None:
    if type(value) is list:
        index = _index(value, segment)
        if not 0 <= index <= len(value):
            raise BuiltinFault("index for array insertion out of bounds")
        value.insert(index, new)
    elif type(value) is dict:
        value[key(segment)] = new
    elif type(value) is set:
        if not equal(segment, new):
            raise BuiltinFault("set key does not equal value to be inserted")
        value.add(key(new))
    else:
        raise _no_container(value)


def _delete(value: Value, segment: Value) -> None:
    if type(value) is list:
        index = _index(value, segment)
        if not 0 <= index < len(value):
            raise BuiltinFault("index for array delete out of bounds")
        del value[index]
    elif type(value) is dict or type(value) is set:
        name = key(segment)
        if name not in value:
            raise BuiltinFault("cannot delete child key that does not exist")
        if isinstance(value, dict):
            del value[name]
        else:
            value.remove(name)
    else:
        raise _no_container(value)


def _no_container(value: Value) -> BuiltinFault:
    return BuiltinFault(f"expected composite type, found {type_name(value)}")


def _index(value: list[Value], segment: Value) -> int:
    """Return the index that a segment names in an array: "-" is the one after the last (RFC 6901 section 4)."""
    if type(segment) is int:
        return segment
    if type(segment) is not str:
        raise BuiltinFault("invalid type for indexing")
    if segment == "-":
        return len(value)
    digits = segment[1:] if segment[:1] in {"+", "-"} else segment
    if not (digits.isascii() and digits.isdigit()) or len(digits) > _LONGEST_INDEX:
        raise BuiltinFault("invalid string for indexing")
    if segment != "0" and segment.startswith("0"):
        raise BuiltinFault("leading zeros are not allowed in JSON paths")
    return int(segment)
