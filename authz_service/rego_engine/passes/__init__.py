"""Passes: plan → plan that comes to the same and is cheaper. Each stands alone and can be switched off.

The order is that of `ORDER`. The differential tests run with all of them, with none, and with each one off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from authz_service.rego_engine.passes.base_data import fold_data
from authz_service.rego_engine.passes.dispatch import dispatch
from authz_service.rego_engine.passes.loops import look_up_before
from authz_service.rego_engine.passes.membership import test_membership
from authz_service.rego_engine.passes.propagation import propagate
from authz_service.rego_engine.passes.references import fetch_once
from authz_service.rego_engine.passes.results import return_early
from authz_service.rego_engine.passes.separation import separate
from authz_service.rego_engine.passes.unification import unify_items
from authz_service.rego_engine.plan import Plan
from authz_service.rego_engine.values import Value

Pass = Callable[[Plan, Value], Plan]

ORDER: Final[Sequence[tuple[str, Pass]]] = (
    ("separation", separate),
    ("propagation", propagate),
    ("base_data", fold_data),
    ("propagation", propagate),
    ("results", return_early),
    ("separation", separate),
    ("unification", unify_items),
    ("loops", look_up_before),
    ("references", fetch_once),
    ("propagation", propagate),
    ("membership", test_membership),
    ("loops", look_up_before),
    ("propagation", propagate),
    ("dispatch", dispatch),
)
