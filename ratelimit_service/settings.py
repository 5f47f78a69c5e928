"""Settings from environment variables, by the names that envoyproxy/ratelimit gives them where it has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ratelimit_service.model import FailureMode
from ratelimit_service.stores.address import Address
from ratelimit_service.stores.address import parse as parse_address
from service_kit.environment import Environment
from service_kit.faults import Faults
from service_kit.listening import MAX_PORT, Tls
from service_kit.logs import LEVELS

MAX_POOL_SIZE = 1_000  # connections
MAX_LOCAL_BUCKETS = 100_000_000
MIN_DEADLINE, MAX_DEADLINE = 0.001, 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. This table is what is read, with the only defaults, and what --help prints."""

    name: str
    default: str
    meaning: str


VARIABLES = (
    Variable("HOST", "0.0.0.0", "Address to serve HTTP on: /healthcheck, /healthz, /readyz, /metrics"),
    Variable("PORT", "8080", "Port for HTTP; 0 takes a free one"),
    Variable("GRPC_HOST", "0.0.0.0", "Address to serve gRPC on"),
    Variable("GRPC_PORT", "8081", "Port for gRPC; 0 takes a free one"),
    Variable("GRPC_UDS", "", "Absolute path of a unix socket to serve gRPC on, in place of GRPC_HOST and GRPC_PORT"),
    Variable("GRPC_SERVER_USE_TLS", "false", "Serve gRPC with TLS"),
    Variable("GRPC_SERVER_TLS_CERT", "", "PEM file with the server's certificate chain"),
    Variable("GRPC_SERVER_TLS_KEY", "", "PEM file with the server's private key"),
    Variable("GRPC_CLIENT_TLS_CACERT", "", "PEM file with the CA that must have signed every client's certificate"),
    Variable("LOG_LEVEL", "info", f"One of {', '.join(LEVELS)} (warn means warning)"),
    Variable("RUNTIME_ROOT", "/srv/runtime_data/current", "Directory under which the limits lie"),
    Variable("RUNTIME_SUBDIRECTORY", "", "Directory below RUNTIME_ROOT"),
    Variable("RUNTIME_APPDIRECTORY", "config", "Directory below that; its *.yaml and *.yml files are read and watched"),
    Variable("REDIS_SOCKET_TYPE", "tcp", "tcp or unix (envoyproxy/ratelimit's default is unix)"),
    Variable("REDIS_URL", "127.0.0.1:6379", "Valkey or Redis: host:port, redis://, rediss://, or a socket's path"),
    Variable("REDIS_AUTH", "", "`password` or `user:password`"),
    Variable("REDIS_TLS", "false", "Connect to Valkey or Redis with TLS"),
    Variable("REDIS_TLS_CACERT", "", "PEM file with the CA of its certificate; empty trusts the system's"),
    Variable("REDIS_POOL_SIZE", "10", "Connections to Valkey or Redis, at most"),
    Variable("STORE_DEADLINE", "10ms", "Time for one answer of Valkey or Redis; Envoy waits 20ms for ours by default"),
    Variable(
        "FAILURE_MODE", "allow", "When it does not answer: allow, deny, or local (count in this process's memory)"
    ),
    Variable("LOCAL_MAX_BUCKETS", "100000", "Buckets that FAILURE_MODE=local keeps, at most; when full it denies"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process runs with."""

    http_address: str  # host:port
    grpc_address: str  # host:port or unix:///path
    grpc_tls: Tls | None
    log_level: str
    limits_directory: Path
    store: Address
    store_deadline: float  # seconds
    store_pool_size: int  # connections
    failure_mode: FailureMode
    local_max_buckets: int


def read(values: Mapping[str, str]) -> Settings:
    """Read settings from environment variables; raises `ConfigurationError` with all that is wrong."""
    faults = Faults()
    env = Environment(values, {variable.name: variable.default for variable in VARIABLES}, faults)
    settings = Settings(
        http_address=_address(env, "HOST", "PORT"),
        grpc_address=_grpc_address(env),
        grpc_tls=_grpc_tls(env),
        log_level=_log_level(env),
        limits_directory=Path(*map(env.text, ("RUNTIME_ROOT", "RUNTIME_SUBDIRECTORY", "RUNTIME_APPDIRECTORY"))),
        store=_store(env),
        store_deadline=env.seconds("STORE_DEADLINE", minimum=MIN_DEADLINE, maximum=MAX_DEADLINE),
        store_pool_size=env.integer("REDIS_POOL_SIZE", minimum=1, maximum=MAX_POOL_SIZE),
        failure_mode=FailureMode(env.choice("FAILURE_MODE", [mode.value for mode in FailureMode])),
        local_max_buckets=env.integer("LOCAL_MAX_BUCKETS", minimum=1, maximum=MAX_LOCAL_BUCKETS),
    )
    faults.raise_if_any()
    return settings


def help_text() -> str:
    """Every variable with its meaning and default, for --help."""
    width = max(len(variable.name) for variable in VARIABLES)
    lines = [
        f"  {variable.name:<{width}}  {variable.meaning}. Default: {variable.default or 'empty'}"
        for variable in VARIABLES
    ]
    return "\n".join(lines)


def _address(env: Environment, host: str, port: str) -> str:
    name = env.text(host).strip("[]")
    number = env.integer(port, minimum=0, maximum=MAX_PORT)
    return f"[{name}]:{number}" if ":" in name else f"{name}:{number}"


def _grpc_address(env: Environment) -> str:
    path = env.text("GRPC_UDS")
    if path and not path.startswith("/"):
        env.faults.add("GRPC_UDS", 0, f"must be an absolute path, but is {path!r}")
    address = _address(env, "GRPC_HOST", "GRPC_PORT")
    return f"unix://{path}" if path else address


def _grpc_tls(env: Environment) -> Tls | None:
    needed = ("GRPC_SERVER_TLS_CERT", "GRPC_SERVER_TLS_KEY")
    if not env.flag("GRPC_SERVER_USE_TLS"):
        # A client CA without TLS would look like mutual TLS and check nobody.
        for name in (*needed, "GRPC_CLIENT_TLS_CACERT"):
            if env.text(name):
                env.faults.add(name, 0, "has no effect unless GRPC_SERVER_USE_TLS is true")
        return None
    certificate, key = map(env.file, needed)
    client_ca = env.file("GRPC_CLIENT_TLS_CACERT")
    for name in needed:
        if not env.text(name):
            env.faults.add(name, 0, "is needed when GRPC_SERVER_USE_TLS is true")
    return Tls(certificate, key, client_ca) if certificate and key else None


def _log_level(env: Environment) -> str:
    level = env.choice("LOG_LEVEL", [*LEVELS, "warn"])
    return "warning" if level == "warn" else level


def _store(env: Environment) -> Address:
    ca = env.file("REDIS_TLS_CACERT")
    try:
        address = parse_address(
            env.text("REDIS_URL"),
            socket_type=env.choice("REDIS_SOCKET_TYPE", ["tcp", "unix"]),
            auth=env.text("REDIS_AUTH"),
            tls=env.flag("REDIS_TLS"),
            ca=ca,
        )
    except ValueError as error:
        env.faults.add("REDIS_URL", 0, str(error))
        return Address()
    if ca and address.path:
        env.faults.add("REDIS_TLS_CACERT", 0, "has no effect on a unix socket")
    elif ca and not address.tls:
        env.faults.add(
            "REDIS_TLS_CACERT", 0, "has no effect unless REDIS_TLS is true or REDIS_URL begins with rediss://"
        )
    return address
