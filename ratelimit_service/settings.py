"""Settings from environment variables (see `variables`); what is wrong with them is told all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ratelimit_service.config import Source
from ratelimit_service.limiter import Modes
from ratelimit_service.model import FailureMode
from ratelimit_service.servicers.rls_messages import Extras, HeaderNames
from ratelimit_service.variables import NO_EFFECT, VARIABLES
from service_kit.environment import Environment
from service_kit.faults import Fault, Faults
from service_kit.listening import MAX_PORT, MAX_WORKERS, Listening, Server, Tls
from service_kit.logs import LEVELS
from service_kit.valkey import topology
from service_kit.valkey.address import Address
from service_kit.valkey.address import Tls as StoreTls
from service_kit.valkey.address import parse as parse_address
from service_kit.valkey.topology import Kind, Topology

MAX_LOCAL_BUCKETS = 100_000_000
MAX_LOCAL_CACHE_BYTES = 16 * 1024**3
MAX_PREFIX_BYTES = 64
MIN_DEADLINE, MAX_DEADLINE = 0.001, 10.0  # seconds
MAX_BACKOFF = 3_600.0  # seconds


@dataclass(frozen=True, slots=True)
class XdsSettings:
    """The management server that the limits come from."""

    server: str  # host:port
    node_id: str
    use_tls: bool
    ca: Path | None
    certificate: Path | None
    key: Path | None
    server_name: str  # what its certificate must hold; empty for the host
    metadata: tuple[tuple[str, str], ...]
    backoff: tuple[float, float]  # seconds: first and longest
    merge_domains: bool


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the counters are, and how they are used."""

    topology: Topology
    deadline: float  # seconds
    key_prefix: str
    sparing: bool  # see `stores`
    local_cache_bytes: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process runs with. `notes` are variables that are set and have no effect."""

    listening: Listening
    debug_address: str | None
    log_level: str
    limits: Source | XdsSettings
    links: tuple[Path, ...] | None  # what is watched is where these lead, and not what lies there
    store: StoreSettings
    modes: Modes
    extras: Extras
    near_limit_ratio: float
    local_max_buckets: int
    notes: tuple[Fault, ...]


def read(values: Mapping[str, str]) -> Settings:
    """Read settings from environment variables; raises `ConfigurationError` with all that is wrong."""
    faults = Faults()
    env = Environment(values, {variable.name: variable.default for variable in VARIABLES}, faults)
    root = Path(env.text("RUNTIME_ROOT"))
    directory = root / env.text("RUNTIME_SUBDIRECTORY") / env.text("RUNTIME_APPDIRECTORY")
    links = (root, root / env.text("RUNTIME_SUBDIRECTORY"), directory, directory / "..data")
    settings = Settings(
        listening=_listening(env),
        debug_address=None if env.text("DEBUG_PORT") == "-1" else _address(env, "DEBUG_HOST", "DEBUG_PORT"),
        log_level=_log_level(env),
        limits=_limits(env, directory),
        links=links if env.flag("RUNTIME_WATCH_ROOT") else None,
        store=_store(env),
        modes=Modes(
            FailureMode(env.choice("FAILURE_MODE", [mode.value for mode in FailureMode])),
            shadow=env.flag("SHADOW_MODE"),
            quota=env.flag("QUOTA_MODE"),
        ),
        extras=_extras(env),
        near_limit_ratio=env.number("NEAR_LIMIT_RATIO", minimum=0.0, maximum=1.0),
        local_max_buckets=env.integer("LOCAL_MAX_BUCKETS", minimum=1, maximum=MAX_LOCAL_BUCKETS),
        notes=_notes(values, faults),
    )
    faults.raise_if_any()
    return settings


def _notes(values: Mapping[str, str], faults: Faults) -> tuple[Fault, ...]:
    if values.get("GRPC_CLIENT_TLS_SAN"):
        # To pass it over would let in every client whose certificate the CA has signed.
        faults.add("GRPC_CLIENT_TLS_SAN", 0, "cannot be checked by this service: give its clients a CA of their own")
    if values.get("BACKEND_TYPE", "redis").lower() not in {"", "redis"}:
        faults.add("BACKEND_TYPE", 0, f"must be redis, but is {values['BACKEND_TYPE']!r}: there is no other backend")
    told = [(name, why) for name, why in NO_EFFECT.items() if values.get(name, "").lower() not in {"", "false", "0"}]
    return tuple(Fault(name, 0, f"has no effect: {why}") for name, why in told)


def _address(env: Environment, host: str, port: str) -> str:
    name = env.text(host).strip("[]")
    number = env.integer(port, minimum=0, maximum=MAX_PORT)
    return f"[{name}]:{number}" if ":" in name else f"{name}:{number}"


def _listening(env: Environment) -> Listening:
    workers = env.integer("GRPC_WORKERS", minimum=1, maximum=MAX_WORKERS)
    if workers > 1 and env.text("GRPC_UDS"):
        env.faults.add("GRPC_WORKERS", 0, "must be 1 with GRPC_UDS: a unix socket belongs to one process")
    admin = Path(env.text("GRPC_ENVOY_ADMIN")) if env.text("GRPC_ENVOY_ADMIN") else None
    if admin is not None and not admin.is_dir():
        env.faults.add("GRPC_ENVOY_ADMIN", 0, f"must be a folder for admin sockets, but is none: {admin}")
    return Listening(
        grpc=_grpc_address(env),
        http=_address(env, "HOST", "PORT"),
        tls=_grpc_tls(env),
        server=Server(env.choice("GRPC_SERVER", [server.value for server in Server])),
        workers=workers,
        admin=admin,
    )


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
        _needs(env, "GRPC_SERVER_USE_TLS is true", (*needed, "GRPC_CLIENT_TLS_CACERT"))
        return None
    certificate, key = map(env.file, needed)
    client_ca = env.file("GRPC_CLIENT_TLS_CACERT")
    for name in needed:
        if not env.text(name):
            env.faults.add(name, 0, "is needed when GRPC_SERVER_USE_TLS is true")
    return Tls(certificate, key, client_ca) if certificate and key else None


def _needs(env: Environment, condition: str, names: tuple[str, ...]) -> None:
    """Refuse variables that would have no effect, where that would look safer than it is."""
    for name in names:
        if env.text(name).lower() not in {"", "false", "f", "0"}:
            env.faults.add(name, 0, f"has no effect unless {condition}")


def _log_level(env: Environment) -> str:
    # The last four are envoyproxy/ratelimit's.
    others = {"warn": "warning", "trace": "debug", "fatal": "critical", "panic": "critical"}
    level = env.choice("LOG_LEVEL", [*LEVELS, *(word for word in others if word not in LEVELS)])
    return others.get(level, level)


def _limits(env: Environment, directory: Path) -> Source | XdsSettings:
    merge = env.flag("MERGE_DOMAIN_CONFIG")
    if env.choice("CONFIG_TYPE", ["file", "grpc_xds_sotw"]) == "file":
        return Source(directory, merge_domains=merge, dot_files=not env.flag("RUNTIME_IGNOREDOTFILES"))
    prefix = "CONFIG_GRPC_XDS_"
    use_tls = env.flag(f"{prefix}SERVER_USE_TLS")
    tls_names = (f"{prefix}SERVER_TLS_CACERT", f"{prefix}CLIENT_TLS_CERT", f"{prefix}CLIENT_TLS_KEY")
    if not use_tls:
        _needs(env, f"{prefix}SERVER_USE_TLS is true", (*tls_names, f"{prefix}SERVER_TLS_SAN"))
    ca, certificate, key = map(env.file, tls_names)
    if (certificate is None) != (key is None):
        env.faults.add(tls_names[1], 0, f"is needed together with {tls_names[2]}")
    metadata = []
    for pair in filter(None, env.text(f"{prefix}CLIENT_ADDITIONAL_HEADERS").split(",")):
        name, colon, value = pair.partition(":")
        if not colon or not name.strip():
            env.faults.add(f"{prefix}CLIENT_ADDITIONAL_HEADERS", 0, "must be name:value,name:value")
        metadata.append((name.strip().lower(), value.strip()))
    return XdsSettings(
        server=env.text(f"{prefix}SERVER_URL"),
        node_id=env.text(f"{prefix}NODE_ID"),
        use_tls=use_tls,
        ca=ca,
        certificate=certificate,
        key=key,
        server_name=env.text(f"{prefix}SERVER_TLS_SAN"),
        metadata=tuple(metadata),
        backoff=(
            env.seconds("XDS_CLIENT_BACKOFF_INITIAL_INTERVAL", minimum=0.01, maximum=MAX_BACKOFF),
            env.seconds("XDS_CLIENT_BACKOFF_MAX_INTERVAL", minimum=0.01, maximum=MAX_BACKOFF),
        ),
        merge_domains=merge,
    )


def _extras(env: Environment) -> Extras:
    names = HeaderNames(*map(env.text, ("LIMIT_LIMIT_HEADER", "LIMIT_REMAINING_HEADER", "LIMIT_RESET_HEADER")))
    return Extras(
        headers=names if env.flag("LIMIT_RESPONSE_HEADERS_ENABLED") else None,
        dynamic_metadata=env.flag("RESPONSE_DYNAMIC_METADATA"),
    )


def _store(env: Environment) -> StoreSettings:
    prefix = env.text("CACHE_KEY_PREFIX")
    if "{" in prefix or "}" in prefix or len(prefix.encode()) > MAX_PREFIX_BYTES:
        env.faults.add("CACHE_KEY_PREFIX", 0, f"must be without braces and at most {MAX_PREFIX_BYTES} bytes long")
    return StoreSettings(
        topology=_topology(env),
        deadline=env.seconds("STORE_DEADLINE", minimum=MIN_DEADLINE, maximum=MAX_DEADLINE),
        key_prefix=prefix,
        sparing=env.flag("STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT"),
        local_cache_bytes=env.integer("LOCAL_CACHE_SIZE_IN_BYTES", minimum=0, maximum=MAX_LOCAL_CACHE_BYTES),
    )


def _topology(env: Environment) -> Topology:
    kind = Kind(env.choice("REDIS_TYPE", [kind.value for kind in Kind]))
    socket_type = env.choice("REDIS_SOCKET_TYPE", ["tcp", "unix"])
    ca, certificate, key = map(env.file, ("REDIS_TLS_CACERT", "REDIS_TLS_CLIENT_CERT", "REDIS_TLS_CLIENT_KEY"))
    if (certificate is None) != (key is None):
        env.faults.add("REDIS_TLS_CLIENT_CERT", 0, "is needed together with REDIS_TLS_CLIENT_KEY")
    tls = StoreTls(ca, certificate, key, check_hostname=not env.flag("REDIS_TLS_SKIP_HOSTNAME_VERIFICATION"))
    wanted = tls if env.flag("REDIS_TLS") or "rediss://" in env.text("REDIS_URL") else None

    def server(url: str, auth: str = "REDIS_AUTH") -> Address:
        return parse_address(url, socket_type=socket_type, auth=env.text(auth), tls=wanted)

    def sentinel(url: str) -> Address:
        return server(url, "REDIS_SENTINEL_AUTH")

    try:
        found = topology.parse(kind, env.text("REDIS_URL"), server, sentinel)
    except ValueError as error:
        env.faults.add("REDIS_URL", 0, str(error))
        return Topology(kind, (Address(),))
    if wanted is None or any(address.path for address in found.addresses):
        what = "REDIS_TLS is true or REDIS_URL begins with rediss://, and it is no unix socket"
        _needs(env, what, ("REDIS_TLS_CACERT", "REDIS_TLS_CLIENT_CERT", "REDIS_TLS_SKIP_HOSTNAME_VERIFICATION"))
    if kind is not Kind.SENTINEL:
        _needs(env, "REDIS_TYPE is sentinel", ("REDIS_SENTINEL_AUTH",))
    return found
