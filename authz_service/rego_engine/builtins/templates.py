"""strings.render_template: a text by a template of Go's text/template. What is missing shows as <undefined>."""

from __future__ import annotations

import functools
from typing import Final

from authz_service.rego_engine.builtins.registry import builtin, obj, string
from authz_service.rego_engine.builtins.template_nodes import Node, Rendering, carry_out
from authz_service.rego_engine.builtins.template_syntax import parsed
from authz_service.rego_engine.builtins.template_values import variables
from authz_service.rego_engine.builtins.texts import check_length
from authz_service.rego_engine.values import Value

_CACHED: Final = 128  # templates

_parsed = functools.lru_cache(maxsize=_CACHED)(parsed)


@builtin("strings.render_template")
def render_template(value: Value, vars_: Value) -> Value:
    """Return a template's text for some variables."""
    nodes: tuple[Node, ...] = _parsed(string(value, 1))
    root = variables(obj(vars_, 2))
    run = Rendering(root)
    carry_out(nodes, run, root)
    text = run.made.text()
    check_length(len(text) + text.count("<no value>"))
    return text.replace("<no value>", "<undefined>")
