"""What /metrics shows: the process's own registry, or what all workers of a service have added up."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector


def exposed(registry: CollectorRegistry, *, shared: bool) -> CollectorRegistry:
    """Return the registry to read from. `shared`: there are several workers, which write to one folder.

    The folder is named by PROMETHEUS_MULTIPROC_DIR, which the library reads when it is imported
    (https://prometheus.github.io/client_python/multiprocess/).
    """
    if not shared:
        return registry
    all_workers = CollectorRegistry()
    MultiProcessCollector(all_workers)  # type: ignore[no-untyped-call]  # the library has no types here
    return all_workers
