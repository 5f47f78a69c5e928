"""A gRPC service as plain coroutines over messages, and the statuses they end with.

Servicers know no host: each of `hosts` serves the same `Service` unchanged. A unary method is
`async def (request) -> response`; where a side streams, it takes or yields an async iterator.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

log = logging.getLogger(__name__)


class Status(enum.IntEnum):
    """The gRPC status codes (https://grpc.io/docs/guides/status-codes/) that the services end a call with."""

    CANCELLED = 1
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
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

    def parse(self, data: bytes) -> Any:
        """Read a request; the parser's own words stay inside."""
        try:
            return self.request.FromString(data)
        except DecodeError as error:
            raise RpcError(Status.INVALID_ARGUMENT, "malformed message") from error

    def ended_by(self, error: BaseException) -> RpcError:
        """What the caller is told of an error: ours as it is, of any other nothing."""
        if isinstance(error, RpcError):
            return error
        # The text of an unforeseen error may hold a part of the request: the log tells its type and place.
        log.error("call failed", exc_info=error, extra={"fields": {"method": self.path}})
        return RpcError(Status.INTERNAL, "internal error")


@dataclass(frozen=True, slots=True)
class Service:
    """A service by its descriptor, and one handler for each of its methods.

    `own_calls`: how many calls it takes at once beside those that a host's bound is for, so that neither kind takes the
    other's place. It MUST end further ones itself, before it waits for anything. With 0 they share that bound.
    """

    descriptor: ServiceDescriptor
    handlers: Mapping[str, Callable[[Any], Any]]
    own_calls: int = 0

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
