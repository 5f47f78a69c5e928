"""An arrangement of servers → what takes each request to the one that keeps its buckets."""

from __future__ import annotations

from ratelimit_service.stores.cluster import Cluster
from ratelimit_service.stores.node import Watcher
from ratelimit_service.stores.servers import SentinelPrimary, Servers, single
from service_kit.valkey.sentinels import Sentinels
from service_kit.valkey.topology import Kind, Topology


def open_servers(topology: Topology, deadline: float, watcher: Watcher) -> Servers:
    """Make ready to ask; nothing is connected before the first request. `deadline` is in seconds."""
    if topology.kind is Kind.SENTINEL and topology.primary is not None:
        return SentinelPrimary(Sentinels(topology.name, topology.addresses, topology.primary), deadline, watcher)
    if topology.kind is Kind.CLUSTER:
        return Cluster(topology.addresses, deadline, watcher)
    return single(topology.addresses[0], deadline, watcher)
