"""What one evaluation hands to the built-ins that are not functions of their operands alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from authz_service.rego_engine.builtins.http_messages import HttpRequest, HttpResponse
from authz_service.rego_engine.builtins.http_responses import KeptResponses
from authz_service.rego_engine.values import Value

_SYSTEM = random.SystemRandom()  # the system's randomness, which has no state that evaluations could share


class HttpSender(Protocol):
    """Sends requests of `http.send`. Wired in where hosts are allow-listed; without one, `http.send` is a fault."""

    responses: KeptResponses  # that outlive their evaluation, where a policy asks for it

    def send(self, request: HttpRequest, seconds: float) -> HttpResponse:
        """Return the response within `seconds`, or raise `NetworkFault`, or `BuiltinFault` for a bad request."""
        ...


@dataclass(slots=True)
class Context:
    """One evaluation's surroundings. Times come from here: no built-in reads a clock.

    `time_ns` is the evaluation's one time, in nanoseconds since the epoch. `runtime` is what `opa.runtime` answers.
    `cache` keeps what a built-in wants to find again within this evaluation (rand.intn's and uuid.rfc4122's values, a
    response of http.send), by (built-in's name, operands). `printed` gets each line of `print` and each note of
    `trace`; None drops them. `remaining` tells how many seconds the evaluation still has.
    """

    time_ns: int = 0
    random: random.Random = _SYSTEM
    runtime: Mapping[str, Value] = field(default_factory=dict)
    http: HttpSender | None = None
    cache: dict[Any, Value] = field(default_factory=dict)
    printed: Callable[[str], None] | None = None
    remaining: Callable[[], float] = lambda: 1.0
