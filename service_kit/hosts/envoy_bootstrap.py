"""The configuration of the Envoy that carries a service's calls: a listener, HTTP/2, and the module that runs Python.

Pure: a mapping for `--config-yaml`. Field names are Envoy's v3 API
(https://www.envoyproxy.io/docs/envoy/latest/api-v3/api).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from service_kit.listening import Limits, Tls, port_of

LISTENER = "grpc"
SERVER, CLIENTS = "server", "clients"  # secrets, each in a file of its own in the worker's folder: SDS wants one
ADMIN_SOCKET = "admin-{}.sock"
_TYPES = "type.googleapis.com"
_DRAIN_SECONDS = 0.5  # between the notice of a GOAWAY and the GOAWAY itself; streams that come between are served
_HEADER_SECONDS = 10.0
_HANDSHAKE_SECONDS = 10.0
_CONNECTION_BUFFER_BYTES = 1024 * 1024
_CONTROL_FRAMES = 10_000  # of a kind that wait to be sent; a client that floods is closed
# Calls on one connection that their caller takes back: so many at once, and in a second. A proxy takes back the call of
# each client that goes away, and a connection that is closed for it ends the calls of all others. Envoy's own bounds,
# 1000 and 33 a second, and half of the calls once there were 500, are for connections of clients.
_RESETS, _RESETS_PER_SECOND = 100_000, 20_000
_NO_SHARE_OF_RESETS: Mapping[str, Any] = {"overload.premature_reset_total_stream_count": 2**32 - 1}


def bootstrap(  # noqa: PLR0913  (everything that the configuration is made of)
    address: str, limits: Limits, *, tls: Tls | None, shared: bool, module: str, application: str, folder: Path,
    admin: Path,
) -> Mapping[str, Any]:  # fmt: skip
    """Return Envoy's bootstrap. `shared`: other processes listen on the same port.

    `module` is the dynamic module's file, `application` the ASGI application as `module:name`, `folder` holds the
    files that go with it, `admin` is the socket for the admin interface, which is on no port.
    """
    chain: dict[str, Any] = {"filters": [_connection_manager(limits, module, application)]}
    if tls is not None:
        chain["transport_socket"] = _tls(tls, folder)
        chain["transport_socket_connect_timeout"] = _duration(_HANDSHAKE_SECONDS)
    listener = {
        "name": LISTENER,
        "address": _address(address),
        "enable_reuse_port": shared,
        "per_connection_buffer_limit_bytes": _CONNECTION_BUFFER_BYTES,
        "filter_chains": [chain],
    }
    return {
        "node": {"id": "host", "cluster": "agent-gateway"},  # SDS from a file needs a node
        "admin": {"address": {"pipe": {"path": str(admin), "mode": 0o600}}},
        "layered_runtime": {"layers": [{"name": "host", "static_layer": _NO_SHARE_OF_RESETS}]},
        "static_resources": {"listeners": [listener]},
        "overload_manager": {
            "resource_monitors": [
                _typed(
                    "envoy.resource_monitors.global_downstream_max_connections",
                    "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                    {"max_active_downstream_connections": limits.connections},
                )
            ]
        },
    }


def secrets(tls: Tls, generation: int) -> Mapping[str, Mapping[str, Any]]:
    """Return what SDS reads, by name: where certificate and key lie, and the CA of the clients.

    Envoy reads the named files again only when this says something new, so the spelling of their paths changes with
    `generation`: the keys themselves are copied nowhere.
    """
    dots = "/." * (generation % 2)

    def spelt(path: Path) -> Mapping[str, str]:
        return {"filename": f"{path.absolute().parent}{dots}/{path.name}"}

    pair = {"certificate_chain": spelt(tls.certificate), "private_key": spelt(tls.key)}
    found = {SERVER: {"tls_certificate": pair}}
    if tls.client_ca is not None:
        found[CLIENTS] = {"validation_context": {"trusted_ca": spelt(tls.client_ca)}}
    kind = f"{_TYPES}/envoy.extensions.transport_sockets.tls.v3.Secret"
    return {name: {"resources": [{"@type": kind, "name": name, **fields}]} for name, fields in found.items()}


def _connection_manager(limits: Limits, module: str, application: str) -> Mapping[str, Any]:
    return _typed(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        {
            "stat_prefix": "grpc",
            "codec_type": "HTTP2",
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"]}]},
            "http_filters": [_NO_ESCAPES, _python(module, application)],
            "generate_request_id": False,
            "server_header_transformation": "PASS_THROUGH",
            "skip_xff_append": True,
            "http2_protocol_options": {
                "max_concurrent_streams": limits.connection_calls,
                "max_outbound_control_frames": _CONTROL_FRAMES,
                "stream_reset_burst": _RESETS,
                "stream_reset_rate": _RESETS_PER_SECOND,
            },
            "request_headers_timeout": _duration(_HEADER_SECONDS),
            # A stream may be silent for long, as a Watch is; each call's deadline is its caller's.
            "stream_idle_timeout": "0s",
            "drain_timeout": _duration(_DRAIN_SECONDS),
        },
    )


# No method's name has an escape in it, and pyvoy never answers one that is not UTF-8, such as /%ff.
_NO_ESCAPES: Mapping[str, Any] = {
    "name": "envoy.filters.http.rbac",
    "typed_config": {
        "@type": f"{_TYPES}/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {
            "action": "DENY",
            "policies": {
                "escapes": {
                    "permissions": [{"header": {"name": ":path", "string_match": {"contains": "%"}}}],
                    "principals": [{"any": True}],
                }
            },
        },
    },
}


def _python(module: str, application: str) -> Mapping[str, Any]:
    settings = {"app": application, "interface": "asgi", "root_path": "", "lifespan": True, "worker_threads": 1}
    return _typed(
        "pyvoy",
        "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
        {
            "dynamic_module_config": {"module": {"local": {"filename": module}}},
            "filter_name": "pyvoy",
            "terminal_filter": True,
            "filter_config": {"@type": f"{_TYPES}/google.protobuf.StringValue", "value": json.dumps(settings)},
        },
    )


def _tls(tls: Tls, folder: Path) -> Mapping[str, Any]:
    def secret(name: str) -> Mapping[str, Any]:
        source = {"path_config_source": {"path": str(folder / f"{name}.json")}, "resource_api_version": "V3"}
        return {"name": name, "sds_config": source}

    common: dict[str, Any] = {
        "alpn_protocols": ["h2"],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificate_sds_secret_configs": [secret(SERVER)],
    }
    if tls.client_ca is not None:
        common["validation_context_sds_secret_config"] = secret(CLIENTS)
    return _typed(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        {"common_tls_context": common, "require_client_certificate": tls.client_ca is not None},
    )


def _address(address: str) -> Mapping[str, Any]:
    if address.startswith("unix://"):
        return {"pipe": {"path": address.removeprefix("unix://")}}
    host = address.rpartition(":")[0].strip("[]")
    return {"socket_address": {"address": host, "port_value": port_of(address)}}


def _typed(name: str, kind: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_TYPES}/{kind}", **fields}}


def _duration(seconds: float) -> str:
    return f"{seconds}s"
