"""Every environment variable: this table is what is read, with the only defaults, and what --help prints.

Names and meanings are envoyproxy/ratelimit's where it has them, so that its deployments can swap the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service_kit.logs import LEVELS


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable."""

    name: str
    default: str
    meaning: str


VARIABLES = (
    Variable("HOST", "0.0.0.0", "Address to serve HTTP on: /json, /healthcheck, /healthz, /readyz, /metrics"),
    Variable("PORT", "8080", "Port for HTTP; 0 takes a free one"),
    Variable("DEBUG_HOST", "127.0.0.1", "Address of the debug port (envoyproxy/ratelimit's default is 0.0.0.0)"),
    Variable("DEBUG_PORT", "6070", "Debug port: /rlconfig, /stats; 0 takes a free one, -1 serves none"),
    Variable("GRPC_HOST", "0.0.0.0", "Address to serve gRPC on"),
    Variable("GRPC_PORT", "8081", "Port for gRPC; 0 takes a free one"),
    Variable("GRPC_UDS", "", "Absolute path of a unix socket to serve gRPC on, in place of GRPC_HOST and GRPC_PORT"),
    Variable(
        "GRPC_SERVER",
        "auto",
        "What carries gRPC: pyvoy (Envoy with Python inside), grpcio, or auto: pyvoy where it runs",
    ),
    Variable("GRPC_WORKERS", "1", "Processes that share the ports; each has its own local cache and local limits"),
    Variable("GRPC_ENVOY_ADMIN", "", "Folder for the admin sockets of pyvoy's Envoys; empty keeps them private"),
    Variable("GRPC_SERVER_USE_TLS", "false", "Serve gRPC with TLS"),
    Variable("GRPC_SERVER_TLS_CERT", "", "PEM file with the server's certificate chain"),
    Variable("GRPC_SERVER_TLS_KEY", "", "PEM file with the server's private key"),
    Variable("GRPC_CLIENT_TLS_CACERT", "", "PEM file with the CA that must have signed every client's certificate"),
    Variable("LOG_LEVEL", "info", f"One of {', '.join(LEVELS)} (warn means warning)"),
    Variable("CONFIG_TYPE", "FILE", "Where the limits come from: FILE, or GRPC_XDS_SOTW (a management server)"),
    Variable("RUNTIME_ROOT", "/srv/runtime_data/current", "Directory under which the limits lie"),
    Variable("RUNTIME_SUBDIRECTORY", "", "Directory below RUNTIME_ROOT"),
    Variable("RUNTIME_APPDIRECTORY", "config", "Directory below that; every file in it is read and watched"),
    Variable(
        "RUNTIME_WATCH_ROOT",
        "false",
        "true: load anew only when a link to the directory, or its ..data, leads elsewhere; false: on any change "
        "(envoyproxy/ratelimit's default is true)",
    ),
    Variable(
        "RUNTIME_IGNOREDOTFILES",
        "true",
        "Pass over files and folders whose names begin with a dot; with two dots always "
        "(envoyproxy/ratelimit's default is false)",
    ),
    Variable("MERGE_DOMAIN_CONFIG", "false", "Files that name the same domain make it up together"),
    Variable("CONFIG_GRPC_XDS_NODE_ID", "default", "What the management server knows this service by"),
    Variable("CONFIG_GRPC_XDS_SERVER_URL", "localhost:18000", "Management server, as host:port"),
    Variable("CONFIG_GRPC_XDS_SERVER_USE_TLS", "false", "Connect to it with TLS"),
    Variable("CONFIG_GRPC_XDS_CLIENT_TLS_CERT", "", "PEM file with the client's certificate chain"),
    Variable("CONFIG_GRPC_XDS_CLIENT_TLS_KEY", "", "PEM file with the client's private key"),
    Variable("CONFIG_GRPC_XDS_SERVER_TLS_CACERT", "", "PEM file with the CA of its certificate"),
    Variable("CONFIG_GRPC_XDS_SERVER_TLS_SAN", "", "Name that its certificate must hold, where that is not the host's"),
    Variable("CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS", "", "Metadata for it: name:value,name:value"),
    Variable("XDS_CLIENT_BACKOFF_INITIAL_INTERVAL", "10s", "First wait before it is asked again"),
    Variable("XDS_CLIENT_BACKOFF_MAX_INTERVAL", "60s", "Longest wait before it is asked again"),
    Variable("SHADOW_MODE", "false", "Decide and count as ever, and let every request pass"),
    Variable("QUOTA_MODE", "false", "Take every rule for one with quota_mode: true"),
    Variable("NEAR_LIMIT_RATIO", "0.8", "Part of a limit from which hits count as near it, from 0 to 1"),
    Variable("LIMIT_RESPONSE_HEADERS_ENABLED", "false", "Tell callers their limit in response headers"),
    Variable("LIMIT_LIMIT_HEADER", "RateLimit-Limit", "Header with the limit"),
    Variable("LIMIT_REMAINING_HEADER", "RateLimit-Remaining", "Header with what remains of it"),
    Variable("LIMIT_RESET_HEADER", "RateLimit-Reset", "Header with the seconds until it resets"),
    Variable("RESPONSE_DYNAMIC_METADATA", "false", "Tell Envoy what was asked, with the rules' metadata"),
    Variable("REDIS_TYPE", "single", "single, sentinel or cluster"),
    Variable("REDIS_SOCKET_TYPE", "tcp", "tcp or unix (envoyproxy/ratelimit's default is unix)"),
    Variable(
        "REDIS_URL",
        "127.0.0.1:6379",
        "Valkey or Redis: host:port, redis://, rediss://, or a socket's path; for sentinel name,host:port,..., "
        "for cluster host:port,...",
    ),
    Variable("REDIS_AUTH", "", "`password` or `user:password`"),
    Variable("REDIS_SENTINEL_AUTH", "", "The same for the Sentinels"),
    Variable("REDIS_TLS", "false", "Connect to Valkey or Redis with TLS"),
    Variable("REDIS_TLS_CACERT", "", "PEM file with the CA of its certificate; empty trusts the system's"),
    Variable("REDIS_TLS_CLIENT_CERT", "", "PEM file with the certificate chain to show to it"),
    Variable("REDIS_TLS_CLIENT_KEY", "", "PEM file with the private key of that"),
    Variable(
        "REDIS_TLS_SKIP_HOSTNAME_VERIFICATION", "false", "Take a certificate of another host, if the CA signed it"
    ),
    Variable("CACHE_KEY_PREFIX", "", "Text before every key"),
    Variable(
        "LOCAL_CACHE_SIZE_IN_BYTES", "0", "Memory for what is known to be over its limit; 0 always asks the store"
    ),
    Variable(
        "STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT",
        "false",
        "In a request that is over a limit, count nothing in the fixed windows that are not over",
    ),
    Variable("STORE_DEADLINE", "10ms", "Time for one answer of Valkey or Redis; Envoy waits 20ms for ours by default"),
    Variable(
        "FAILURE_MODE", "allow", "When it does not answer: allow, deny, or local (count in this process's memory)"
    ),
    Variable("LOCAL_MAX_BUCKETS", "100000", "Buckets that FAILURE_MODE=local keeps, at most; when full it denies"),
)

NO_EFFECT: Mapping[str, str] = {
    "BACKEND_TYPE": "the backend is Valkey or Redis",
    "REDIS_PERSECOND": "all limits are counted at REDIS_URL, atomically; a limit a second has one key for each bucket",
    "REDIS_POOL_SIZE": "one connection to each server carries all requests",
    "REDIS_POOL_ON_EMPTY_BEHAVIOR": "one connection to each server carries all requests",
    "REDIS_PIPELINE_WINDOW": "requests that come together share a round trip without waiting for it",
    "REDIS_PIPELINE_LIMIT": "requests that come together share a round trip without waiting for it",
    "REDIS_TIMEOUT": "STORE_DEADLINE bounds a request as a whole",
    "REDIS_HEALTH_CHECK_ACTIVE_CONNECTION": "/readyz tells whether the store answers; FAILURE_MODE decides",
    "EXPIRATION_JITTER_MAX_SECONDS": "a key outlives its bucket by one to two seconds",
    "USE_STATSD": "metrics are Prometheus's, at /metrics",
    "USE_DOG_STATSD": "metrics are Prometheus's, at /metrics",
    "USE_PROMETHEUS": "metrics are always at /metrics of PORT",
    "PROMETHEUS_ADDR": "metrics are at /metrics of PORT",
    "TRACING_ENABLED": "there is no tracing",
    "CONFIG_GRPC_XDS_NODE_METADATA": "the management server is told the node's id only",
    "CONFIG_GRPC_XDS_SERVER_CONNECT_RETRY_INTERVAL": "XDS_CLIENT_BACKOFF_* bounds the waits",
    "XDS_CLIENT_BACKOFF_RANDOM_FACTOR": "the waits are spread by themselves",
    "XDS_CLIENT_BACKOFF_JITTER": "the waits are spread by themselves",
    "GRPC_MAX_CONNECTION_AGE": "connections have no age: let Envoy's cluster bound it (max_connection_duration)",
    "GRPC_MAX_CONNECTION_AGE_GRACE": "connections have no age",
    "HEALTHY_WITH_AT_LEAST_ONE_CONFIG_LOADED": "it is ready once there are limits, and not before",
    "FORCE_START_WITHOUT_INITIAL_CONFIG": "it starts without a file with limits, and ends where one has a fault",
    "LOG_FORMAT": "log lines are JSON",
    "EXTRA_TAGS": "metrics are Prometheus's: it adds labels when it scrapes",
    "STATSD_HOST": "metrics are Prometheus's, at /metrics",
    "STATSD_PORT": "metrics are Prometheus's, at /metrics",
    "STATS_FLUSH_INTERVAL": "metrics are Prometheus's, at /metrics",
    "DISABLE_STATS": "metrics are always at /metrics of PORT",
    "PROMETHEUS_PATH": "metrics are at /metrics of PORT",
    "PROMETHEUS_MAPPER_YAML": "metrics have the names and labels of docs/operating.md",
    "REDIS_PERSECOND_URL": "all limits are counted at REDIS_URL, atomically",
}
"""Variables of envoyproxy/ratelimit that are taken and change nothing, with the reason."""


def help_text() -> str:
    """Every variable with its meaning and default, for --help."""
    width = max(len(variable.name) for variable in VARIABLES)
    lines = [
        f"  {variable.name:<{width}}  {variable.meaning}. Default: {variable.default or 'empty'}"
        for variable in VARIABLES
    ]
    return "\n".join(lines)
