"""A management server for tests: speaks ADS over a real socket, tells what it is asked, sends what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from ratelimit_service import xds
from service_kit.wire.discovery_pb2 import DiscoveryRequest, DiscoveryResponse
from service_kit.wire.ratelimit_config_pb2 import RateLimitConfig, RateLimitDescriptor, RateLimitPolicy, RateLimitUnit

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
PATIENCE = 30.0  # seconds that something may take on a slow machine before a test fails


def domain(name: str, *descriptors: RateLimitDescriptor) -> RateLimitConfig:
    return RateLimitConfig(name=f"{name}.v1", domain=name, descriptors=descriptors)


def descriptor(key: str, requests: int = 1, unit: RateLimitUnit = RateLimitUnit.YEAR) -> RateLimitDescriptor:
    return RateLimitDescriptor(key=key, rate_limit=RateLimitPolicy(unit=unit, requests_per_unit=requests))


def response(version: str, *configs: RateLimitConfig, nonce: str = "", type_url: str = xds.TYPE_URL) -> Any:
    message = DiscoveryResponse(version_info=version, nonce=nonce or f"nonce of {version}", type_url=type_url)
    for config in configs:
        message.resources.add(type_url=xds.TYPE_URL, value=config.SerializeToString())
    return message


class Stream:
    """One stream that a client opened."""

    def __init__(self, metadata: dict[str, str]) -> None:
        self.metadata = metadata
        self.requests: asyncio.Queue[DiscoveryRequest] = asyncio.Queue()
        self.answers: asyncio.Queue[bytes | str] = asyncio.Queue()

    async def asked(self) -> DiscoveryRequest:
        return await asyncio.wait_for(self.requests.get(), PATIENCE)

    def send(self, message: DiscoveryResponse) -> None:
        self.answers.put_nowait(message.SerializeToString())

    def send_bytes(self, data: bytes) -> None:
        self.answers.put_nowait(data)

    def end(self, text: str = "") -> None:
        """End it: in good order, or with a status whose text this is."""
        self.answers.put_nowait(text)


class ManagementServer:
    """Listens while its context lasts; a port that is given is listened on again."""

    def __init__(self, port: int = 0, credentials: Any = None) -> None:
        self._streams: asyncio.Queue[Stream] = asyncio.Queue()
        self._server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
        handlers = {"StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(self._serve)}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        address = f"127.0.0.1:{port}"
        if credentials is None:
            self.port = int(self._server.add_insecure_port(address))
        else:
            self.port = int(self._server.add_secure_port(address, credentials))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def stream(self) -> Stream:
        """The next one that a client opens."""
        return await asyncio.wait_for(self._streams.get(), PATIENCE)

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.stop(None)

    async def _serve(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        stream = Stream(dict(context.invocation_metadata()))
        self._streams.put_nowait(stream)

        async def receive() -> None:
            async for data in requests:
                stream.requests.put_nowait(DiscoveryRequest.FromString(data))

        receiving = asyncio.create_task(receive())
        try:
            while isinstance(answer := await stream.answers.get(), bytes):
                yield answer
            if answer:
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, answer)
        finally:
            receiving.cancel()
            with suppress(asyncio.CancelledError, grpc.aio.UsageError):
                await receiving
