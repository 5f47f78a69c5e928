"""Serves `rpc.Service`s with grpcio: TCP and unix sockets, TLS and mutual TLS, limits, reflection, graceful drain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc
import grpc.aio

from service_kit.health import Health, HealthServicer
from service_kit.hosts import certificates
from service_kit.hosts.admission import Admission
from service_kit.hosts.reflection import reflection
from service_kit.listening import Limits, ListenError, Tls, try_to_bind
from service_kit.rpc import Method, RpcError, Service, Status

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class GrpcioHost:
    """One listening gRPC server. `start` returns once it accepts calls, `stop` once the last one has ended."""

    def __init__(  # noqa: PLR0913  (everything that a server is made of)
        self,
        address: str,
        services: Sequence[Service],
        health: Health,
        aliases: Sequence[str] = (),
        *,
        limits: Limits | None = None,
        tls: Tls | None = None,
        shared: bool = False,
    ) -> None:
        """Listen on `address`: `host:port`, `[v6]:port` or `unix:///path`; port 0 takes a free one.

        `shared`: other workers listen on the same port.
        """
        self._address = address
        self._health = health
        self._limits = limits or Limits()
        self._shared = shared
        served = [*services, HealthServicer(health, [*(service.name for service in services), *aliases]).service()]
        served.append(reflection(served))
        admission = Admission(served, self._limits.concurrent_calls)
        self._server = grpc.aio.server(
            maximum_concurrent_rpcs=admission.most,
            options=(
                ("grpc.max_concurrent_streams", self._limits.connection_calls),
                ("grpc.max_receive_message_length", self._limits.receive_bytes),
                ("grpc.max_send_message_length", self._limits.send_bytes),
                ("grpc.so_reuseport", int(shared)),  # else two servers on one port would share its calls unnoticed
            ),
        )
        for service in served:
            handlers = {method.path.rpartition("/")[2]: _handler(method, admission) for method in service.methods()}
            generic = grpc.method_handlers_generic_handler(service.name, handlers)
            self._server.add_generic_rpc_handlers((generic,))
        self._credentials: Any = None
        self._following: asyncio.Task[None] | None = None
        self._certificates: Any = None
        if tls is not None:
            self._certificates = _certificates(tls)
            # Asked at each handshake: the same object means that nothing has changed.
            self._credentials = grpc.dynamic_ssl_server_credentials(
                self._certificates, lambda: self._certificates, require_client_authentication=tls.client_ca is not None
            )
        self._tls = tls

    async def start(self) -> str:
        """Listen, and return the address with the port that is really used."""
        if self._tls is not None:
            self._following = asyncio.create_task(certificates.follow(self._tls, self._renewed).run())
        unix = self._address.startswith("unix:")
        if not unix and not self._shared:
            try_to_bind(self._address)
        try:
            if self._credentials is None:
                port = self._server.add_insecure_port(self._address)
            else:
                port = self._server.add_secure_port(self._address, self._credentials)
            await self._server.start()
        except RuntimeError as error:
            raise ListenError(f"cannot listen on {self._address}: is it in use?") from error
        if unix:
            return self._address
        return f"{self._address.rpartition(':')[0]}:{port}"

    async def stop(self) -> None:
        """Say NOT_SERVING, take no new calls, let those in flight finish within `drain_seconds`."""
        self._health.drain()
        if self._following is not None:
            self._following.cancel()
        await self._server.stop(self._limits.drain_seconds)

    def _renewed(self) -> None:
        assert self._tls is not None  # noqa: S101  (only then are files followed)
        self._certificates = _certificates(self._tls)


def _certificates(tls: Tls) -> Any:
    """Return what is shown and asked for at a handshake."""
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    client_ca = tls.client_ca.read_bytes() if tls.client_ca else None
    return grpc.ssl_server_certificate_configuration([pair], client_ca)


def _handler(method: Method, admission: Admission) -> Any:
    """Wrap a coroutine so that it ends with a status of ours, whatever it raises.

    grpcio hands over bytes and takes bytes: what its own codecs raise it would tell the caller, type and text.
    """
    handler: Callable[[Any], Any] = method.handler
    serialize = method.response.SerializeToString

    def read(request: Any) -> Any:
        return _parse_each(method, request) if method.streams_requests else method.parse(request)

    async def unary(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            _enter(method, admission)
            try:
                return serialize(await handler(read(request)))
            finally:
                admission.leave(method.path)
        except BaseException as error:  # noqa: BLE001  (the boundary: every fault becomes a status)
            await _abort(method, error, context)

    async def stream(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        try:
            _enter(method, admission)
            try:
                async for response in handler(read(request)):
                    yield serialize(response)
            finally:
                admission.leave(method.path)
        except BaseException as error:  # noqa: BLE001  (the boundary, as above)
            await _abort(method, error, context)

    if method.streams_requests and method.streams_responses:
        return grpc.stream_stream_rpc_method_handler(stream)
    if method.streams_responses:
        return grpc.unary_stream_rpc_method_handler(stream)
    if method.streams_requests:
        return grpc.stream_unary_rpc_method_handler(unary)
    return grpc.unary_unary_rpc_method_handler(unary)


def _enter(method: Method, admission: Admission) -> None:
    if not admission.enter(method.path):
        raise RpcError(Status.RESOURCE_EXHAUSTED, "too many calls at once")


async def _parse_each(method: Method, messages: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for data in messages:
        yield method.parse(data)


async def _abort(method: Method, error: BaseException, context: grpc.aio.ServicerContext[Any, Any]) -> None:
    if isinstance(error, grpc.aio.AbortError | GeneratorExit) or _is_ended(error):
        raise error
    refusal = method.ended_by(error)
    await context.abort(_CODES[refusal.status], refusal.text)


def _is_ended(error: BaseException) -> bool:
    """Whether the call itself was cancelled, and not something that its handler waited for: that would hang it."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
