"""A gRPC service as plain coroutines over messages, and the statuses they end with.

Servicers know no host: `grpc_host` serves them with grpcio, and another host can serve the same `Service` unchanged.
A unary method is `async def (request) -> response`; where a side streams, it takes or yields an async iterator.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass


class Status(enum.IntEnum):
    """The gRPC status codes (https://grpc.io/docs/guides/status-codes/) that the services end a call with."""

    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    INTERNAL = 13
    UNAVAILABLE = 14


class RpcError(Exception):
    """Ends a call with a status. `text` goes to the caller: nothing secret, nothing of the request."""

    def __init__(self, status: Status, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Method:
    """One method, ready to be served at `path` (`/package.Service/Method`)."""

    path: str
    handler: Callable[[Any], Any]
    request: type[Message]
    response: type[Message]
    streams_requests: bool
    streams_responses: bool


@dataclass(frozen=True, slots=True)
class Service:
    """A service by its descriptor, and one handler for each of its methods."""

    descriptor: ServiceDescriptor
    handlers: Mapping[str, Callable[[Any], Any]]

    def __post_init__(self) -> None:
        declared = {method.name for method in self.descriptor.methods}
        if declared != set(self.handlers):
            raise ValueError(f"{self.name} declares {sorted(declared)}, but handlers are {sorted(self.handlers)}")

    @property
    def name(self) -> str:
        """The full name, as health checks and reflection use it."""
        return str(self.descriptor.full_name)

    def methods(self) -> Iterator[Method]:
        """Every method with its message classes."""
        for method in self.descriptor.methods:
            yield Method(
                path=f"/{self.name}/{method.name}",
                handler=self.handlers[method.name],
                request=GetMessageClass(method.input_type),
                response=GetMessageClass(method.output_type),
                streams_requests=method.client_streaming,
                streams_responses=method.server_streaming,
            )
