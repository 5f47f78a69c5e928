"""Graphs, each an object of nodes with their neighbours in an array or a set: what can be reached, by which paths."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator
from typing import Any

from authz_service.rego_engine.builtins.registry import builtin, obj, wrong
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, key, plain

MAX_PATH_NODES = 200_000  # nodes of all paths together, of which a graph has more than its size lets expect


@builtin("graph.reachable")
def reachable(graph: Value, initial: Value) -> Value:
    """Set of the graph's nodes that can be reached from some nodes, these included."""
    found, waiting = obj(graph, 1), list(_initial(initial))
    seen: set[Any] = set()
    while waiting:
        node = waiting.pop()
        if node in found and node not in seen:
            seen.add(node)
            waiting.extend(_neighbours(found[node]))
    return seen


@builtin("graph.reachable_paths")
def reachable_paths(graph: Value, initial: Value) -> Value:
    """Set of the longest paths from some nodes: each ends where no neighbour is left, or would be met again."""
    found = obj(graph, 1)
    paths: set[Any] = set()
    nodes = 0
    for start in _initial(initial):
        if start not in found:
            continue
        for path in _paths(found, start):
            nodes += len(path)
            if nodes > MAX_PATH_NODES:
                raise BuiltinFault(f"paths have more than {MAX_PATH_NODES} nodes")
            paths.add(key(list(map(plain, path))))
    return paths


def _initial(value: Value) -> Collection[Hashable]:
    """Return the nodes to start from."""
    if type(value) is not list and type(value) is not set:
        raise wrong(value, 2, "{array, set}")
    return _neighbours(value)


def _neighbours(value: Value) -> Collection[Hashable]:
    """Return a node's neighbours as keys; what is neither array nor set has none."""
    if type(value) is set:
        return value
    return list(map(key, value)) if type(value) is list else ()


def _paths(graph: dict[Any, Value], start: Hashable) -> Iterator[list[Hashable]]:
    """Yield the paths from one node, depth first. A yielded list is changed afterwards."""
    path = [start]
    met = {start}
    levels = [iter(_neighbours(graph[start]))]
    if not _neighbours(graph[start]):
        yield path
    while levels:
        node = next(levels[-1], _NO_NODE)
        if node is _NO_NODE:
            levels.pop()
            left = path.pop()
            if left != start:
                met.discard(left)
        elif (node in met and len(path) > 1) or node not in graph:
            yield path
        else:
            # The first step may lead back to the start: a node that is its own neighbour is met twice, as in OPA.
            path.append(node)
            if _neighbours(graph[node]):
                met.add(node)
                levels.append(iter(_neighbours(graph[node])))
            else:
                yield path
                path.pop()


_NO_NODE = object()
