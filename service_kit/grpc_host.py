"""Serves `rpc.Service`s with grpcio: TCP and unix sockets, TLS and mutual TLS, limits, reflection, graceful drain."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message
from grpc_reflection.v1alpha import reflection

from service_kit.health import Health, HealthServicer
from service_kit.listening import ListenError, Tls, port_of
from service_kit.rpc import Method, RpcError, Service, Status

log = logging.getLogger(__name__)

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a host."""

    receive_bytes: int = 4 * 1024 * 1024  # one request message
    send_bytes: int = 4 * 1024 * 1024  # one response message
    concurrent_calls: int = 2_000  # further ones end with RESOURCE_EXHAUSTED
    drain_seconds: float = 10.0  # how long calls in flight may take to finish when the process ends


def _try_to_bind(address: str) -> None:
    """Find out why an address cannot be had: grpcio only says that it cannot, in a line of its own among the logs."""
    host, port = address.rpartition(":")[0].strip("[]"), port_of(address)
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
    except OSError as error:
        raise ListenError(f"cannot listen on {address}: {error.strerror}") from error


class GrpcHost:
    """One listening gRPC server. `start` returns once it accepts calls, `stop` once the last one has ended."""

    def __init__(  # noqa: PLR0913  (everything a server is made of, once, in __main__)
        self,
        address: str,
        services: Sequence[Service],
        health: Health,
        *,
        limits: Limits | None = None,
        tls: Tls | None = None,
        health_aliases: Sequence[str] = (),
    ) -> None:
        """Listen on `address`: `host:port`, `[v6]:port` or `unix:///path`; port 0 takes a free one."""
        self._address = address
        self._health = health
        self._limits = limits or Limits()
        names = [service.name for service in services]
        served = [*services, HealthServicer(health, [*names, *health_aliases]).service()]
        self._server = grpc.aio.server(
            maximum_concurrent_rpcs=self._limits.concurrent_calls,
            options=(
                ("grpc.max_receive_message_length", self._limits.receive_bytes),
                ("grpc.max_send_message_length", self._limits.send_bytes),
                ("grpc.so_reuseport", 0),  # two servers on one port would share its calls unnoticed
            ),
        )
        for service in served:
            handlers = {method.path.rpartition("/")[2]: _handler(method) for method in service.methods()}
            generic = grpc.method_handlers_generic_handler(service.name, handlers)
            self._server.add_generic_rpc_handlers((generic,))
        reflection.enable_server_reflection(
            [*(service.name for service in served), reflection.SERVICE_NAME], self._server
        )
        self._credentials = _credentials(tls) if tls else None

    async def start(self) -> str:
        """Listen, and return the address with the port that is really used."""
        unix = self._address.startswith("unix:")
        if not unix:
            _try_to_bind(self._address)
        try:
            if self._credentials is None:
                port = self._server.add_insecure_port(self._address)
            else:
                port = self._server.add_secure_port(self._address, self._credentials)
            await self._server.start()
        except RuntimeError as error:
            pair = " Are certificate and key a pair, both in PEM?" if self._credentials else ""
            raise ListenError(f"cannot listen on {self._address}: is it in use?{pair}") from error
        if unix:
            return self._address
        return f"{self._address.rpartition(':')[0]}:{port}"

    async def stop(self) -> None:
        """Say NOT_SERVING, take no new calls, let those in flight finish within `drain_seconds`."""
        self._health.drain()
        await self._server.stop(self._limits.drain_seconds)


def _credentials(tls: Tls) -> Any:
    try:
        pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
        client_ca = tls.client_ca.read_bytes() if tls.client_ca else None
    except OSError as error:
        raise ListenError(f"{error.filename} cannot be read: {error.strerror}") from error
    return grpc.ssl_server_credentials([pair], client_ca, require_client_auth=client_ca is not None)


def _handler(method: Method) -> Any:
    """Wrap a coroutine so that it ends with a status of ours, whatever it raises.

    grpcio hands over bytes and takes bytes: what its own codecs raise it would tell the caller, type and text.
    """
    handler: Callable[[Any], Any] = method.handler
    serialize = method.response.SerializeToString

    def read(request: Any) -> Any:
        return _parse_each(method, request) if method.streams_requests else _parse(method, request)

    async def unary(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return serialize(await handler(read(request)))
        except Exception as error:  # noqa: BLE001  (the boundary: every fault becomes a status)
            await _abort(method, error, context)

    async def stream(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        try:
            async for response in handler(read(request)):
                yield serialize(response)
        except Exception as error:  # noqa: BLE001  (the boundary, as above)
            await _abort(method, error, context)

    if method.streams_requests and method.streams_responses:
        return grpc.stream_stream_rpc_method_handler(stream)
    if method.streams_responses:
        return grpc.unary_stream_rpc_method_handler(stream)
    if method.streams_requests:
        return grpc.stream_unary_rpc_method_handler(unary)
    return grpc.unary_unary_rpc_method_handler(unary)


def _parse(method: Method, data: bytes) -> Message:
    try:
        return method.request.FromString(data)
    except DecodeError as error:
        raise RpcError(Status.INVALID_ARGUMENT, "malformed message") from error


async def _parse_each(method: Method, messages: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    async for data in messages:
        yield _parse(method, data)


async def _abort(method: Method, error: Exception, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, RpcError):
        await context.abort(_CODES[error.status], error.text)
    # The text of an unforeseen error may hold a part of the request: the log tells its type and place.
    log.error("call failed", exc_info=error, extra={"fields": {"method": method.path}})
    await context.abort(grpc.StatusCode.INTERNAL, "internal error")
