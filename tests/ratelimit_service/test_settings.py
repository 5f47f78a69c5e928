from __future__ import annotations

from pathlib import Path

import pytest

from ratelimit_service import settings
from ratelimit_service.config import Source
from ratelimit_service.limiter import Modes
from ratelimit_service.model import FailureMode
from ratelimit_service.servicers.rls_messages import Extras, HeaderNames
from ratelimit_service.settings import XdsSettings
from ratelimit_service.variables import NO_EFFECT
from service_kit.faults import ConfigurationError
from service_kit.listening import Server, Tls
from service_kit.valkey.address import Address
from service_kit.valkey.address import Tls as StoreTls
from service_kit.valkey.topology import Kind, Topology

XDS = {"CONFIG_TYPE": "GRPC_XDS_SOTW"}
XDS_TLS = XDS | {"CONFIG_GRPC_XDS_SERVER_USE_TLS": "true"}


def faults(**values: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.read(values)
    return [str(fault) for fault in caught.value.faults]


def topology(**values: str) -> Topology:
    return settings.read(values).store.topology


def xds(**values: str) -> XdsSettings:
    limits = settings.read(XDS | values).limits
    assert isinstance(limits, XdsSettings)
    return limits


@pytest.fixture
def pem(tmp_path: Path) -> str:
    path = tmp_path / "a.pem"
    path.touch()
    return str(path)


def test_defaults_are_those_of_the_reference_where_it_has_them() -> None:
    chosen = settings.read({})
    assert chosen.listening.http == "0.0.0.0:8080"
    assert chosen.listening.grpc == "0.0.0.0:8081"
    assert chosen.debug_address == "127.0.0.1:6070"
    assert chosen.limits == Source(Path("/srv/runtime_data/current/config"))
    assert chosen.links is None
    assert chosen.store.topology == Topology(Kind.SINGLE, (Address("127.0.0.1", 6379),))
    assert (chosen.store.deadline, chosen.store.key_prefix, chosen.store.sparing) == (0.01, "", False)
    assert (chosen.store.local_cache_bytes, chosen.local_max_buckets) == (0, 100_000)
    assert chosen.modes == Modes(FailureMode.ALLOW, shadow=False, quota=False)
    assert chosen.extras == Extras(headers=None, dynamic_metadata=False)
    assert chosen.near_limit_ratio == 0.8
    assert chosen.log_level == "info"
    assert chosen.listening.tls is None
    assert chosen.notes == ()


def test_empty_and_unknown_variables_are_passed_over() -> None:
    assert settings.read({"PORT": "", "HOSTNAME": "x", "PATH": "/bin"}) == settings.read({})


# Addresses


def test_a_unix_socket_takes_the_place_of_the_port() -> None:
    assert settings.read({"GRPC_UDS": "/run/rl.sock"}).listening.grpc == "unix:///run/rl.sock"


def test_an_ipv6_host_stands_in_brackets() -> None:
    chosen = settings.read({"GRPC_HOST": "::", "HOST": "[::1]", "DEBUG_HOST": "::1"})
    assert (chosen.listening.grpc, chosen.listening.http, chosen.debug_address) == (
        "[::]:8081",
        "[::1]:8080",
        "[::1]:6070",
    )


def test_the_debug_port_may_be_another_or_none() -> None:
    assert settings.read({"DEBUG_PORT": "0", "DEBUG_HOST": "0.0.0.0"}).debug_address == "0.0.0.0:0"
    assert settings.read({"DEBUG_PORT": "-1"}).debug_address is None
    assert faults(DEBUG_PORT="-2") == ["DEBUG_PORT: must be a whole number from 0 to 65535, but is '-2'"]


def test_warn_means_warning_whatever_its_case() -> None:
    assert settings.read({"LOG_LEVEL": "WARN"}).log_level == "warning"
    assert settings.read({"LOG_LEVEL": "Debug"}).log_level == "debug"


# Where the limits are


def test_the_limits_directory_is_put_together() -> None:
    values = {"RUNTIME_ROOT": "/r", "RUNTIME_SUBDIRECTORY": "ratelimit", "RUNTIME_APPDIRECTORY": "app"}
    assert settings.read(values).limits == Source(Path("/r/ratelimit/app"))


def test_files_are_taken_as_they_are_asked_for() -> None:
    values = {"RUNTIME_ROOT": "/r", "MERGE_DOMAIN_CONFIG": "true", "RUNTIME_IGNOREDOTFILES": "false"}
    assert settings.read(values).limits == Source(Path("/r/config"), merge_domains=True, dot_files=True)


def test_with_a_watched_root_what_may_be_a_link_is_watched() -> None:
    values = {"RUNTIME_ROOT": "/r", "RUNTIME_SUBDIRECTORY": "s", "RUNTIME_WATCH_ROOT": "true"}
    assert settings.read(values).links == (Path("/r"), Path("/r/s"), Path("/r/s/config"), Path("/r/s/config/..data"))


def test_a_management_server_takes_the_place_of_files() -> None:
    assert xds() == XdsSettings(
        server="localhost:18000",
        node_id="default",
        use_tls=False,
        ca=None,
        certificate=None,
        key=None,
        server_name="",
        metadata=(),
        backoff=(10.0, 60.0),
        merge_domains=False,
    )


def test_a_management_server_is_described_as_in_the_reference(pem: str) -> None:
    chosen = xds(
        CONFIG_GRPC_XDS_NODE_ID="n",
        CONFIG_GRPC_XDS_SERVER_URL="xds:1",
        CONFIG_GRPC_XDS_SERVER_USE_TLS="true",
        CONFIG_GRPC_XDS_SERVER_TLS_CACERT=pem,
        CONFIG_GRPC_XDS_CLIENT_TLS_CERT=pem,
        CONFIG_GRPC_XDS_CLIENT_TLS_KEY=pem,
        CONFIG_GRPC_XDS_SERVER_TLS_SAN="xds.example",
        CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS="X-Token:a:b, x-other: c",
        XDS_CLIENT_BACKOFF_INITIAL_INTERVAL="50ms",
        XDS_CLIENT_BACKOFF_MAX_INTERVAL="1s",
        MERGE_DOMAIN_CONFIG="true",
    )
    assert (chosen.node_id, chosen.server, chosen.use_tls, chosen.server_name) == ("n", "xds:1", True, "xds.example")
    assert (chosen.ca, chosen.certificate, chosen.key) == (Path(pem), Path(pem), Path(pem))
    assert chosen.metadata == (("x-token", "a:b"), ("x-other", "c"))
    assert (chosen.backoff, chosen.merge_domains) == ((0.05, 1.0), True)


def test_the_type_of_the_configuration_is_read_whatever_its_case() -> None:
    assert isinstance(settings.read({"CONFIG_TYPE": "grpc_xds_sotw"}).limits, XdsSettings)
    assert isinstance(settings.read({"CONFIG_TYPE": "file"}).limits, Source)
    assert faults(CONFIG_TYPE="etcd") == ["CONFIG_TYPE: must be one of file, grpc_xds_sotw, but is 'etcd'"]


@pytest.mark.parametrize("written", ["token", ":x", "a:b,c", " :x"])
def test_metadata_that_is_no_pair_is_a_fault(written: str) -> None:
    name = "CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS"
    assert faults(**XDS, **{name: written}) == [f"{name}: must be name:value,name:value"]


@pytest.mark.parametrize("name", ["SERVER_TLS_CACERT", "SERVER_TLS_SAN"])
def test_tls_for_a_management_server_without_tls_is_a_fault(name: str, pem: str) -> None:
    told = faults(**XDS, **{f"CONFIG_GRPC_XDS_{name}": pem})
    assert told == [f"CONFIG_GRPC_XDS_{name}: has no effect unless CONFIG_GRPC_XDS_SERVER_USE_TLS is true"]


@pytest.mark.parametrize("name", ["CERT", "KEY"])
def test_a_certificate_for_a_management_server_needs_its_key(name: str, pem: str) -> None:
    assert faults(**XDS_TLS, **{f"CONFIG_GRPC_XDS_CLIENT_TLS_{name}": pem}) == [
        "CONFIG_GRPC_XDS_CLIENT_TLS_CERT: is needed together with CONFIG_GRPC_XDS_CLIENT_TLS_KEY"
    ]


# What is decided and told


def test_modes_are_read() -> None:
    values = {"FAILURE_MODE": "LOCAL", "SHADOW_MODE": "true", "QUOTA_MODE": "t", "NEAR_LIMIT_RATIO": "0.5"}
    chosen = settings.read(values | {"LOCAL_MAX_BUCKETS": "7"})
    assert chosen.modes == Modes(FailureMode.LOCAL, shadow=True, quota=True)
    assert (chosen.near_limit_ratio, chosen.local_max_buckets) == (0.5, 7)


@pytest.mark.parametrize("written", ["1.1", "-0.1", "most", "nan"])
def test_the_near_limit_ratio_is_a_part(written: str) -> None:
    assert faults(NEAR_LIMIT_RATIO=written) == [f"NEAR_LIMIT_RATIO: must be a number from 0 to 1, but is '{written}'"]


def test_headers_are_told_where_that_is_asked_for_and_may_be_renamed() -> None:
    names = {"LIMIT_LIMIT_HEADER": "X-Limit", "LIMIT_REMAINING_HEADER": "X-Left", "LIMIT_RESET_HEADER": "X-Reset"}
    assert settings.read(names).extras.headers is None
    assert settings.read({"LIMIT_RESPONSE_HEADERS_ENABLED": "true"}).extras.headers == HeaderNames()
    told = settings.read(names | {"LIMIT_RESPONSE_HEADERS_ENABLED": "true"}).extras
    assert told == Extras(HeaderNames("X-Limit", "X-Left", "X-Reset"))
    assert settings.read({"RESPONSE_DYNAMIC_METADATA": "true"}).extras == Extras(dynamic_metadata=True)


# The store


def test_a_single_store_is_named_as_in_the_reference() -> None:
    found = topology(REDIS_URL="cache:7000", REDIS_AUTH="svc:s3:cret", REDIS_TLS="true")
    assert found == Topology(Kind.SINGLE, (Address("cache", 7000, tls=StoreTls(), username="svc", password="s3:cret"),))
    assert topology(REDIS_SOCKET_TYPE="unix", REDIS_URL="/run/valkey.sock").addresses == (
        Address(path="/run/valkey.sock"),
    )


def test_sentinels_are_named_as_in_the_reference() -> None:
    found = topology(
        REDIS_TYPE="SENTINEL", REDIS_URL="mymaster,s1:26379,s2:26379", REDIS_AUTH="pw", REDIS_SENTINEL_AUTH="u:spw"
    )
    assert (found.kind, found.name) == (Kind.SENTINEL, "mymaster")
    assert found.addresses == tuple(Address(host, 26379, username="u", password="spw") for host in ("s1", "s2"))
    assert found.primary is not None
    assert (found.primary.username, found.primary.password) == (None, "pw")


def test_a_cluster_is_named_as_in_the_reference() -> None:
    found = topology(REDIS_TYPE="cluster", REDIS_URL="a:1,b:2", REDIS_AUTH="pw")
    assert found == Topology(Kind.CLUSTER, (Address("a", 1, password="pw"), Address("b", 2, password="pw")))


@pytest.mark.parametrize(
    ("kind", "url", "fault"),
    [
        ("single", "http://x", "REDIS_URL: must begin with redis://, rediss:// or unix://, or be host:port"),
        (
            "sentinel",
            "a:1",
            "REDIS_URL: must be the primary's name and the Sentinels' addresses: name,host:port,host:port",
        ),
        ("sentinel", "m,a:x", "REDIS_URL: is no host:port, redis://, rediss:// or unix:// address"),
        ("cluster", "a:1,redis://b/3", "REDIS_URL: names a database, and a Cluster has only one"),
        ("cluster", "unix:///x", "REDIS_URL: names a unix socket, which is for a single server"),
    ],
)
def test_a_url_that_does_not_name_its_kind_of_store_is_a_fault(kind: str, url: str, fault: str) -> None:
    assert faults(REDIS_TYPE=kind, REDIS_URL=url) == [fault]


def test_the_store_is_used_as_it_is_asked_for() -> None:
    store = settings.read(
        {
            "STORE_DEADLINE": "25ms",
            "CACHE_KEY_PREFIX": "team-a:",
            "STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT": "true",
            "LOCAL_CACHE_SIZE_IN_BYTES": "1048576",
        }
    ).store
    assert (store.deadline, store.key_prefix) == (0.025, "team-a:")
    assert (store.sparing, store.local_cache_bytes) == (True, 1_048_576)


def test_settings_may_stand_on_their_bounds() -> None:
    chosen = settings.read({"CACHE_KEY_PREFIX": "x" * 64, "LOCAL_MAX_BUCKETS": "1", "STORE_DEADLINE": "1ms"})
    assert (len(chosen.store.key_prefix), chosen.local_max_buckets, chosen.store.deadline) == (64, 1, 0.001)


@pytest.mark.parametrize("written", ["a{b", "}", "x" * 65, "\u00fc" * 33])
def test_a_prefix_that_would_break_or_bloat_the_keys_is_a_fault(written: str) -> None:
    assert faults(CACHE_KEY_PREFIX=written) == ["CACHE_KEY_PREFIX: must be without braces and at most 64 bytes long"]


def test_the_host_and_its_workers_are_chosen(tmp_path: Path) -> None:
    assert settings.read({}).listening.server is Server.AUTO
    given = {"GRPC_SERVER": "grpcio", "GRPC_WORKERS": "4", "GRPC_ENVOY_ADMIN": str(tmp_path)}
    listening = settings.read(given).listening
    assert (listening.server, listening.workers, listening.admin) == (Server.GRPCIO, 4, tmp_path)


def test_what_the_host_cannot_be_is_told(tmp_path: Path) -> None:
    told = faults(GRPC_SERVER="go", GRPC_WORKERS="65", GRPC_ENVOY_ADMIN=str(tmp_path / "absent"))
    assert sorted(told) == [
        f"GRPC_ENVOY_ADMIN: must be a folder for admin sockets, but is none: {tmp_path / 'absent'}",
        "GRPC_SERVER: must be one of auto, pyvoy, grpcio, but is 'go'",
        "GRPC_WORKERS: must be a whole number from 1 to 64, but is '65'",
    ]
    assert faults(GRPC_UDS="/s", GRPC_WORKERS="2") == [
        "GRPC_WORKERS: must be 1 with GRPC_UDS: a unix socket belongs to one process"
    ]


@pytest.mark.parametrize("written", ["0ms", "11s"])
def test_the_deadline_is_bounded(written: str) -> None:
    assert faults(STORE_DEADLINE=written) == [f"STORE_DEADLINE: must be from 1ms to 10s, but is '{written}'"]


# TLS


def test_tls_takes_its_files(pem: str) -> None:
    given = {"GRPC_SERVER_USE_TLS": "true", "GRPC_SERVER_TLS_CERT": pem, "GRPC_SERVER_TLS_KEY": pem}
    assert settings.read(given).listening.tls == Tls(Path(pem), Path(pem), None)
    assert settings.read(given | {"GRPC_CLIENT_TLS_CACERT": pem}).listening.tls == Tls(Path(pem), Path(pem), Path(pem))


def test_tls_needs_certificate_and_key(pem: str) -> None:
    assert faults(GRPC_SERVER_USE_TLS="true", GRPC_SERVER_TLS_CERT=pem) == [
        "GRPC_SERVER_TLS_KEY: is needed when GRPC_SERVER_USE_TLS is true"
    ]


@pytest.mark.parametrize("url", ["cache", "rediss://cache", "redis://cache"])
def test_the_store_takes_its_files_over_tls(pem: str, url: str) -> None:
    values = {
        "REDIS_TLS": "false" if url.startswith("rediss") else "true",
        "REDIS_URL": url,
        "REDIS_TLS_CACERT": pem,
        "REDIS_TLS_CLIENT_CERT": pem,
        "REDIS_TLS_CLIENT_KEY": pem,
    }
    (address,) = topology(**values).addresses
    assert address.tls == StoreTls(Path(pem), Path(pem), Path(pem), check_hostname=True)
    (trusting,) = topology(**values, REDIS_TLS_SKIP_HOSTNAME_VERIFICATION="true").addresses
    assert trusting.tls == StoreTls(Path(pem), Path(pem), Path(pem), check_hostname=False)


def test_tls_is_for_every_server_of_a_store(pem: str) -> None:
    values = {"REDIS_TLS": "true", "REDIS_TLS_CACERT": pem}
    for address in topology(**values, REDIS_TYPE="cluster", REDIS_URL="a,b").addresses:
        assert address.tls == StoreTls(Path(pem))
    found = topology(**values, REDIS_TYPE="sentinel", REDIS_URL="m,a,b")
    assert found.primary is not None
    assert {address.tls for address in (*found.addresses, found.primary)} == {StoreTls(Path(pem))}


@pytest.mark.parametrize("name", ["CERT", "KEY"])
def test_a_certificate_for_the_store_needs_its_key(name: str, pem: str) -> None:
    assert faults(**{"REDIS_TLS": "true", f"REDIS_TLS_CLIENT_{name}": pem}) == [
        "REDIS_TLS_CLIENT_CERT: is needed together with REDIS_TLS_CLIENT_KEY"
    ]


def test_every_pem_file_must_be_there(tmp_path: Path) -> None:
    absent = f"{tmp_path}/absent.pem"
    names = (
        "GRPC_CLIENT_TLS_CACERT",
        "GRPC_SERVER_TLS_CERT",
        "GRPC_SERVER_TLS_KEY",
        "REDIS_TLS_CACERT",
        "REDIS_TLS_CLIENT_CERT",
        "REDIS_TLS_CLIENT_KEY",
    )
    told = faults(GRPC_SERVER_USE_TLS="true", REDIS_TLS="true", **dict.fromkeys(names, absent))
    assert told == [f"{name}: names no file: {absent}" for name in names]


@pytest.mark.parametrize("name", ["GRPC_CLIENT_TLS_CACERT", "GRPC_SERVER_TLS_CERT", "GRPC_SERVER_TLS_KEY"])
def test_a_file_for_tls_without_tls_is_a_fault(name: str, pem: str) -> None:
    assert faults(**{name: pem}) == [f"{name}: has no effect unless GRPC_SERVER_USE_TLS is true"]


WITHOUT_TLS = "has no effect unless REDIS_TLS is true or REDIS_URL begins with rediss://, and it is no unix socket"


def test_tls_for_a_store_without_tls_is_a_fault(pem: str) -> None:
    assert faults(REDIS_TLS_CACERT=pem) == [f"REDIS_TLS_CACERT: {WITHOUT_TLS}"]
    assert faults(REDIS_TLS_CACERT=pem, REDIS_TLS="true", REDIS_URL="unix:///run/valkey.sock") == [
        f"REDIS_TLS_CACERT: {WITHOUT_TLS}"
    ]
    skip = "REDIS_TLS_SKIP_HOSTNAME_VERIFICATION"
    assert faults(**{skip: "true"}) == [f"{skip}: {WITHOUT_TLS}"]


@pytest.mark.parametrize("written", ["false", "False", "0", "f", ""])
def test_what_is_switched_off_needs_nothing(written: str) -> None:
    assert settings.read({"REDIS_TLS_SKIP_HOSTNAME_VERIFICATION": written}) == settings.read({})


def test_a_password_for_sentinels_without_any_is_a_fault() -> None:
    assert faults(REDIS_SENTINEL_AUTH="pw") == ["REDIS_SENTINEL_AUTH: has no effect unless REDIS_TYPE is sentinel"]


# What is told


@pytest.mark.parametrize("name", NO_EFFECT)
def test_a_variable_that_changes_nothing_is_noted_with_the_reason(name: str) -> None:
    value = "redis" if name == "BACKEND_TYPE" else "5"
    (note,) = settings.read({name: value}).notes
    assert str(note) == f"{name}: has no effect: {NO_EFFECT[name]}"


def test_another_backend_is_a_fault() -> None:
    assert faults(BACKEND_TYPE="memcache") == [
        "BACKEND_TYPE: must be redis, but is 'memcache': there is no other backend"
    ]
    assert len(settings.read({"BACKEND_TYPE": "Redis"}).notes) == 1


def test_all_faults_come_at_once() -> None:
    told = faults(
        PORT="70000",
        DEBUG_PORT="x",
        FAILURE_MODE="maybe",
        STORE_DEADLINE="1 second",
        REDIS_URL="http://x",
        REDIS_TYPE="ring",
        GRPC_SERVER_USE_TLS="true",
        GRPC_UDS="rl.sock",
        LOG_LEVEL="loud",
        SHADOW_MODE="maybe",
        NEAR_LIMIT_RATIO="2",
        LOCAL_MAX_BUCKETS="0",
        LOCAL_CACHE_SIZE_IN_BYTES="-1",
        BACKEND_TYPE="memcache",
    )
    assert [line.partition(":")[0] for line in told] == [
        "BACKEND_TYPE",
        "DEBUG_PORT",
        "FAILURE_MODE",
        "GRPC_SERVER_TLS_CERT",
        "GRPC_SERVER_TLS_KEY",
        "GRPC_UDS",
        "LOCAL_CACHE_SIZE_IN_BYTES",
        "LOCAL_MAX_BUCKETS",
        "LOG_LEVEL",
        "NEAR_LIMIT_RATIO",
        "PORT",
        "REDIS_TYPE",
        "REDIS_URL",
        "SHADOW_MODE",
        "STORE_DEADLINE",
    ]


def test_a_fault_never_shows_the_password() -> None:
    for kind in Kind:
        url = "http://u:s3cret@x" if kind is not Kind.SENTINEL else "m,http://u:s3cret@x"
        assert "s3cret" not in "".join(faults(REDIS_TYPE=kind.value, REDIS_URL=url))
    assert "s3cret" not in repr(settings.read({"REDIS_AUTH": "s3cret"}))
