"""Limits from a management server: what its responses mean, and what to answer. No I/O; `xds_client` has that.

The protocol is xDS as envoyproxy/ratelimit speaks it, an aggregated stream (ADS) of the state of the world:

    we      DiscoveryRequest    type URL, who we are, the version in use
    server  DiscoveryResponse   every domain there is, a version, a nonce
    we      DiscoveryRequest    that version and nonce: taken (ACK); or the old version, that nonce and an error (NACK)

A response is taken as a whole or not at all. One without resources is taken too: then there is no limit any more. Its
format knows fixed windows only, and has no `value_to_metric`, `share_threshold` or `metadata`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError

from ratelimit_service import compiling
from ratelimit_service.limits import FixedWindow, Unit
from ratelimit_service.raw import RawDescriptor, RawDomain
from ratelimit_service.rules import Limits
from service_kit.faults import ConfigurationError, Faults
from service_kit.rpc import Status
from service_kit.wire.discovery_pb2 import DiscoveryRequest, DiscoveryResponse
from service_kit.wire.envoy_core_pb2 import Node
from service_kit.wire.ratelimit_config_pb2 import (
    RateLimitConfig,
    RateLimitDescriptor,
    RateLimitPolicy,
    RateLimitUnit,
)

TYPE_URL = f"type.googleapis.com/{RateLimitConfig.DESCRIPTOR.full_name}"
SOURCE = "xds"  # what faults of a response as a whole are told by
MAX_RESOURCES = 1_000
MAX_DESCRIPTORS = 200_000  # of all resources
MAX_DEPTH = 64  # levels of descriptors; far below what the parser of messages takes
MAX_NAME = 200  # characters of a resource's name that faults are told by
MAX_ERROR_BYTES = 4_096  # of the faults' text in a NACK

_UNITS = {RateLimitUnit.Value(unit.name): unit for unit in Unit}
_UNIT_NAMES = [unit.name for unit in Unit]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we say on a stream. `version` is that of the response in use, empty before the first.

    Who we are goes into each request: the first of a stream would do, but envoyproxy/ratelimit repeats it, and a server
    may count on that.
    """

    node_id: str
    version: str = ""

    def opening(self) -> DiscoveryRequest:
        """The first request of a stream; a server that still has the version in use need not send it again."""
        return self._request("")

    def accept(self, response: DiscoveryResponse) -> Subscription:
        """The same, once a response is in use."""
        return replace(self, version=response.version_info)

    def ack(self, response: DiscoveryResponse) -> DiscoveryRequest:
        """Say that a response is in use; asked of what `accept` returned for it."""
        return self._request(response.nonce)

    def nack(self, response: DiscoveryResponse, error: ConfigurationError) -> DiscoveryRequest:
        """Say that a response cannot be used, why, and which version stays."""
        request = self._request(response.nonce)
        request.error_detail.code = Status.INVALID_ARGUMENT
        request.error_detail.message = str(error).encode()[:MAX_ERROR_BYTES].decode(errors="ignore")
        return request

    def _request(self, nonce: str) -> DiscoveryRequest:
        node = Node(id=self.node_id)
        return DiscoveryRequest(version_info=self.version, node=node, type_url=TYPE_URL, response_nonce=nonce)


def compile_response(response: DiscoveryResponse, *, merge_domains: bool = False) -> Limits:
    """Compile what a response holds; raises `ConfigurationError` with all that is wrong."""
    faults = Faults()
    return compiling.compile_limits(read(response, faults), faults, merge_domains=merge_domains)


def is_same(one: DiscoveryResponse, other: DiscoveryResponse) -> bool:
    """Whether two responses say the same: each has a nonce of its own, and resources come in any order."""
    if (one.version_info, one.type_url) != (other.version_info, other.type_url):
        return False
    first, second = (sorted((held.type_url, held.value) for held in each.resources) for each in (one, other))
    return first == second


def read(response: DiscoveryResponse, faults: Faults) -> list[RawDomain]:
    """Read a response into raw values."""
    # An empty one is let pass: envoyproxy/ratelimit does not look at it, only at that of each resource.
    if response.type_url and not _is_ours(response.type_url):
        faults.add(SOURCE, 0, f"type_url must be {TYPE_URL}, but is {response.type_url[:MAX_NAME]!r}")
        return []
    if len(response.resources) > MAX_RESOURCES:
        faults.add(SOURCE, 0, f"holds more than {MAX_RESOURCES} resources")
    reading = _Reading(faults)
    found = (reading.domain(index, held) for index, held in enumerate(response.resources[:MAX_RESOURCES]))
    return [domain for domain in found if domain is not None]


class _Reading:
    """The reading of one response: what is wrong with it, and how many more descriptors it may hold."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._room = MAX_DESCRIPTORS
        self._source = SOURCE

    def domain(self, index: int, resource: AnyMessage) -> RawDomain | None:
        """Read one resource; None where it cannot be told what it is."""
        self._source = f"{SOURCE}:resources[{index}]"
        if not _is_ours(resource.type_url):
            self._fault("type_url", f"must be {TYPE_URL}, but is {resource.type_url[:MAX_NAME]!r}")
            return None
        try:
            message = RateLimitConfig.FromString(resource.value)
        except DecodeError:
            self._fault("value", "is not a RateLimitConfig, or is nested too deeply")
            return None
        if message.name:
            self._source = f"{SOURCE}:{message.name[:MAX_NAME]}"
        if not message.domain:
            self._fault("domain", "must not be empty")
        return RawDomain(self._source, 0, message.domain, self._descriptors(message.descriptors, "", 1))

    def _descriptors(
        self, messages: Sequence[RateLimitDescriptor], above: str, depth: int
    ) -> tuple[RawDescriptor, ...]:
        """Read those of one level; `above` is the path of what holds them, with a dot at its end."""
        if messages and depth > MAX_DEPTH:
            self._fault(f"{above}descriptors", f"is more than {MAX_DEPTH} levels deep")
            return ()
        if len(messages) > self._room >= 0:
            self._faults.add(SOURCE, 0, f"holds more than {MAX_DESCRIPTORS} descriptors")
        self._room -= len(messages)
        if self._room < 0:
            return ()
        return tuple(
            self._descriptor(message, f"{above}descriptors[{index}]", depth) for index, message in enumerate(messages)
        )

    def _descriptor(self, message: RateLimitDescriptor, path: str, depth: int) -> RawDescriptor:
        if not message.key:
            self._fault(f"{path}.key", "must not be empty")
        policy = self._policy(message.rate_limit, f"{path}.rate_limit") if message.HasField("rate_limit") else {}
        return RawDescriptor(
            source=self._source,
            line=0,
            key=message.key,
            value=message.value,
            shadow_mode=message.shadow_mode,
            quota_mode=message.quota_mode,
            detailed_metric=message.detailed_metric,
            children=self._descriptors(message.descriptors, f"{path}.", depth + 1),
            **policy,
        )

    def _policy(self, message: RateLimitPolicy, path: str) -> dict[str, Any]:
        """The fields of a `RawDescriptor` that stand under rate_limit."""
        replaces = tuple(replaced.name for replaced in message.replaces)
        for index, other in enumerate(replaces):
            if not other:
                self._fault(f"{path}.replaces[{index}].name", "must not be empty")
            elif other == message.name:
                self._fault(f"{path}.replaces[{index}].name", f"must not be the descriptor's own, {other!r}")
        unit, limit = _UNITS.get(message.unit), None
        if message.unlimited:
            if unit is not None:
                self._fault(f"{path}.unit", "must not be there where unlimited is true")
        elif unit is None:
            written = "UNKNOWN" if message.unit == RateLimitUnit.UNKNOWN else message.unit
            self._fault(f"{path}.unit", f"must be one of {', '.join(_UNIT_NAMES)}, but is {written}")
        else:
            limit = FixedWindow(message.requests_per_unit, unit, message.name)
        return {"name": message.name, "replaces": replaces, "unlimited": message.unlimited, "limit": limit}

    def _fault(self, path: str, text: str) -> None:
        self._faults.add(self._source, 0, f"{path} {text}")


def _is_ours(type_url: str) -> bool:
    return type_url.rpartition("/")[2] == RateLimitConfig.DESCRIPTOR.full_name  # whatever host stands before it
