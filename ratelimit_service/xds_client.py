"""Follows a management server: one stream that is opened again whenever it ends. What is said on it is `xds`'s."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from ratelimit_service import xds
from ratelimit_service.rules import Limits
from ratelimit_service.settings import XdsSettings
from service_kit import lifetime
from service_kit.faults import ConfigurationError, Fault
from service_kit.wire.discovery_pb2 import DESCRIPTOR, DiscoveryRequest, DiscoveryResponse

MAX_RESPONSE_BYTES = 16 * 1024 * 1024
MAX_TOLD_FAULTS = 20  # of a refused response, in the log
MAX_TOLD_CHARACTERS = 300  # of why a stream ended
# Servers may cut off who pings more often than once in 5 minutes; a server that is gone is noticed that much later.
KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS = 330_000, 20_000
METHOD = f"/{DESCRIPTOR.services_by_name['AggregatedDiscoveryService'].full_name}/StreamAggregatedResources"

log = logging.getLogger(__name__)


class XdsClient:
    """Hands limits to `use` as they come, and to `refused` what is wrong with those that cannot be used."""

    def __init__(
        self, settings: XdsSettings, use: Callable[[Limits], None], refused: Callable[[ConfigurationError], None]
    ) -> None:
        """Both are called on the event loop. Those in use stay while the server is away or sends what is refused."""
        self._settings = settings
        self._use = use
        self._refused = refused
        self._subscription = xds.Subscription(settings.node_id)
        self._failures = 0  # streams in a row that brought no response
        # The last response that was refused, and why; none once another was taken.
        self._refusal: tuple[DiscoveryResponse, ConfigurationError] | None = None

    async def run(self) -> None:
        """Follow the server until cancelled."""
        loop = asyncio.get_running_loop()
        first, longest = self._settings.backoff
        while True:
            began = loop.time()
            why = await self._follow()
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError  # grpcio swallows one that comes while a stream is being opened.
            if loop.time() - began > longest:
                self._failures = 0  # Nothing new came, but it was there.
            # Without chance all that lost a server would come back to it at the same time, again and again.
            wait = min(first * 2 ** min(self._failures, 32), longest) * random.uniform(0.5, 1.0)  # noqa: S311  (no secret)
            self._failures += 1
            fields = {"server": self._settings.server, "why": why, "seconds": round(wait, 3)}
            log.warning("management server away", extra={"fields": fields})
            await asyncio.sleep(wait)

    async def _follow(self) -> str:
        """Follow one stream, and tell why it ended."""
        try:
            async with self._channel() as channel:
                call = channel.stream_stream(METHOD)(metadata=self._settings.metadata)
                await _say(call, self._subscription.opening())
                while (data := await call.read()) is not grpc.aio.EOF:
                    self._failures = 0
                    await _say(call, await self._take(DiscoveryResponse.FromString(data)))
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {self._without_secrets(error.details() or '')}"
        except DecodeError:
            return "it sent what is no DiscoveryResponse"
        except OSError as error:
            return f"{error.filename} cannot be read: {error.strerror}"
        except Exception as error:  # An unforeseen fault here must not end a service that works.
            log.error("following the management server failed", exc_info=error)
            return type(error).__name__
        return "it ended the stream"

    async def _take(self, response: DiscoveryResponse) -> DiscoveryRequest:
        """Bring a response into use if that can be done, and return what to answer."""
        if self._refusal is not None and xds.is_same(response, self._refusal[0]):
            # go-control-plane answers a refusal with what was refused: without a wait the two of us would never rest.
            await asyncio.sleep(self._settings.backoff[0])
            return self._subscription.nack(response, self._refusal[1])
        fields: dict[str, Any] = {"version": response.version_info, "resources": len(response.resources)}
        try:
            # In a thread: many rules take long to compile, and requests are answered meanwhile.
            limits = await lifetime.beside(xds.compile_response, response, merge_domains=self._settings.merge_domains)
        except ConfigurationError as error:
            refusal = error
        except Exception as error:
            log.error("compiling limits failed", exc_info=error)
            refusal = ConfigurationError([Fault(xds.SOURCE, 0, f"cannot be used: {type(error).__name__}")])
        else:
            self._use(limits)
            self._subscription = self._subscription.accept(response)
            self._refusal = None
            log.info("limits loaded", extra={"fields": fields})
            return self._subscription.ack(response)
        fields["faults"] = [str(fault) for fault in refusal.faults[:MAX_TOLD_FAULTS]]
        fields["fault_count"] = len(refusal.faults)
        log.error("limits refused, those in use stay", extra={"fields": fields})
        self._refused(refusal)
        self._refusal = (response, refusal)
        return self._subscription.nack(response, refusal)

    def _channel(self) -> Any:
        """Make a channel of its own for each stream: so certificates that were renewed are read again."""
        settings = self._settings
        options: list[tuple[str, int | str]] = [
            ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
            ("grpc.keepalive_time_ms", KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
            ("grpc.use_local_subchannel_pool", 1),  # or it inherits grpcio's own waiting from the channel before
        ]
        if not settings.use_tls:
            return grpc.aio.insecure_channel(settings.server, options)
        if settings.server_name:
            options.append(("grpc.ssl_target_name_override", settings.server_name))
        credentials = grpc.ssl_channel_credentials(_pem(settings.ca), _pem(settings.key), _pem(settings.certificate))
        return grpc.aio.secure_channel(settings.server, credentials, options)

    def _without_secrets(self, text: str) -> str:
        """What the other side says may repeat what it was sent, such as a token among the metadata."""
        for _, value in self._settings.metadata:
            if value:
                text = text.replace(value, "***")
        return text[:MAX_TOLD_CHARACTERS]


async def _say(call: Any, request: DiscoveryRequest) -> None:
    with suppress(asyncio.InvalidStateError):  # The stream is over: the next read tells why.
        await call.write(request.SerializeToString())


def _pem(path: Path | None) -> bytes | None:
    return path.read_bytes() if path else None
