"""What a supervisor orders of a worker, and the few words they exchange while it serves."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass

from service_kit.listening import Limits

VARIABLE = "AGENT_GATEWAY_WORKER"  # of the environment: holds the order
CONTROL = "AGENT_GATEWAY_CONTROL"  # of the environment: the descriptor of the socket to the supervisor
METRICS = "PROMETHEUS_MULTIPROC_DIR"  # of the environment: where the workers of a service add up their metrics
METRICS_FOLDER = "metrics"  # below the supervisor's folder
ENVOY_LOG = "envoy.log"  # in a worker's folder

# On the socket between the two, a line each. That the socket closes says that the other side is gone.
DRAIN = b"drain\n"  # to the worker: finish what is in flight, then end
SERVING = b"serving\n"  # from the worker
FAILED = b"failed\n"  # from the worker: its configuration or an address has a fault, which it has printed


@dataclass(frozen=True, slots=True)
class Order:
    """What one worker is to serve.

    `entry` is the service's coroutine as `module:function`, `arguments` what it is given. `shared`: other workers
    listen on the same ports. `folder` is the worker's own, `admin` its Envoy's socket. `python` runs child processes,
    and `restored` are the variables of the environment that only Envoy was to see, with the values that they had.
    """

    entry: str
    arguments: tuple[str, ...]
    number: int
    shared: bool
    pyvoy: bool
    grpc: str
    http: str
    certificate: str
    key: str
    client_ca: str
    folder: str
    admin: str
    limits: Limits
    python: str
    restored: Mapping[str, str | None]

    def to_json(self) -> str:
        """Write it into `VARIABLE`."""
        return json.dumps(asdict(self))

    @classmethod
    def take(cls, environment: MutableMapping[str, str]) -> Order:
        """Read it out of the environment, and put that back as it was."""
        fields = json.loads(environment.pop(VARIABLE))
        for name, value in fields["restored"].items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
        return cls(**{**fields, "arguments": tuple(fields["arguments"]), "limits": Limits(**fields["limits"])})
