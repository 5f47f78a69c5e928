"""Serves `rpc.Service`s with grpcio: TCP and unix sockets, TLS and mutual TLS, limits, reflection, graceful drain."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_reflection.v1alpha import reflection

from service_kit.health import Health, HealthServicer
from service_kit.rpc import Method, RpcError, Service

log = logging.getLogger(__name__)

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a host."""

    receive_bytes: int = 4 * 1024 * 1024  # one request message
    send_bytes: int = 4 * 1024 * 1024  # one response message
    concurrent_calls: int = 2_000  # further ones end with RESOURCE_EXHAUSTED
    drain_seconds: float = 10.0  # how long calls in flight may take to finish when the process ends


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate and key as PEM files; with `client_ca` every client must show a certificate that it signed."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class ListenError(Exception):
    """The address cannot be listened on. Its text says why."""


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
        try:
            if self._credentials is None:
                port = self._server.add_insecure_port(self._address)
            else:
                port = self._server.add_secure_port(self._address, self._credentials)
            await self._server.start()
        except RuntimeError as error:
            raise ListenError(f"cannot listen on {self._address}: is it in use?") from error
        if self._address.startswith("unix:"):
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
    """Wrap a coroutine so that it ends with a status of ours, whatever it raises."""
    codec = {
        "request_deserializer": method.request.FromString,
        "response_serializer": method.response.SerializeToString,
    }
    handler: Callable[[Any], Any] = method.handler

    async def unary(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await handler(request)
        except Exception as error:  # noqa: BLE001  (the boundary: every fault becomes a status)
            await _abort(method, error, context)

    async def stream(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        try:
            async for response in handler(request):
                yield response
        except Exception as error:  # noqa: BLE001
            await _abort(method, error, context)

    if method.streams_requests and method.streams_responses:
        return grpc.stream_stream_rpc_method_handler(stream, **codec)
    if method.streams_responses:
        return grpc.unary_stream_rpc_method_handler(stream, **codec)
    if method.streams_requests:
        return grpc.stream_unary_rpc_method_handler(unary, **codec)
    return grpc.unary_unary_rpc_method_handler(unary, **codec)


async def _abort(method: Method, error: Exception, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, RpcError):
        await context.abort(_CODES[error.status], error.text)
    # The text of an unforeseen error may hold a part of the request: its type and place are enough to find it.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown"
    log.error("call failed", extra={"fields": {"method": method.path, "error": type(error).__name__, "place": place}})
    await context.abort(grpc.StatusCode.INTERNAL, "internal error")
