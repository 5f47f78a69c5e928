from __future__ import annotations

from pathlib import Path

import pytest

from ratelimit_service import settings
from ratelimit_service.model import FailureMode
from service_kit.faults import ConfigurationError
from service_kit.listening import Tls


def faults(**values: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.read(values)
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def pem(tmp_path: Path) -> str:
    path = tmp_path / "a.pem"
    path.touch()
    return str(path)


def test_defaults_are_those_of_the_reference_where_it_has_them() -> None:
    chosen = settings.read({})
    assert chosen.http_address == "0.0.0.0:8080"
    assert chosen.grpc_address == "0.0.0.0:8081"
    assert chosen.limits_directory == Path("/srv/runtime_data/current/config")
    assert (chosen.store.host, chosen.store.port, chosen.store.tls) == ("127.0.0.1", 6379, False)
    assert (chosen.store_pool_size, chosen.store_deadline) == (10, 0.01)
    assert chosen.failure_mode is FailureMode.ALLOW
    assert chosen.log_level == "info"
    assert chosen.grpc_tls is None


def test_empty_and_unknown_variables_are_passed_over() -> None:
    assert settings.read({"PORT": "", "HOSTNAME": "x", "PATH": "/bin"}) == settings.read({})


def test_the_limits_directory_is_put_together() -> None:
    values = {"RUNTIME_ROOT": "/r", "RUNTIME_SUBDIRECTORY": "ratelimit", "RUNTIME_APPDIRECTORY": "app"}
    assert settings.read(values).limits_directory == Path("/r/ratelimit/app")


def test_a_unix_socket_takes_the_place_of_the_port() -> None:
    assert settings.read({"GRPC_UDS": "/run/rl.sock"}).grpc_address == "unix:///run/rl.sock"


def test_an_ipv6_host_stands_in_brackets() -> None:
    assert settings.read({"GRPC_HOST": "::", "HOST": "[::1]"}).grpc_address == "[::]:8081"
    assert settings.read({"GRPC_HOST": "::", "HOST": "[::1]"}).http_address == "[::1]:8080"


def test_the_store_is_named_as_in_the_reference() -> None:
    store = settings.read({"REDIS_URL": "cache:7000", "REDIS_AUTH": "svc:s3:cret", "REDIS_TLS": "true"}).store
    assert (store.host, store.port, store.tls) == ("cache", 7000, True)
    assert (store.username, store.password) == ("svc", "s3:cret")
    socket = settings.read({"REDIS_SOCKET_TYPE": "unix", "REDIS_URL": "/run/valkey.sock"}).store
    assert socket.path == "/run/valkey.sock"


def test_tls_takes_its_files(pem: str) -> None:
    given = {"GRPC_SERVER_USE_TLS": "true", "GRPC_SERVER_TLS_CERT": pem, "GRPC_SERVER_TLS_KEY": pem}
    assert settings.read(given).grpc_tls == Tls(Path(pem), Path(pem), None)
    assert settings.read(given | {"GRPC_CLIENT_TLS_CACERT": pem}).grpc_tls == Tls(Path(pem), Path(pem), Path(pem))


def test_the_store_takes_its_ca_over_tls(pem: str) -> None:
    assert settings.read({"REDIS_TLS": "true", "REDIS_TLS_CACERT": pem}).store.ca == Path(pem)
    assert settings.read({"REDIS_URL": "rediss://cache", "REDIS_TLS_CACERT": pem}).store.ca == Path(pem)


def test_every_pem_file_must_be_there(tmp_path: Path) -> None:
    absent = f"{tmp_path}/absent.pem"
    names = ("GRPC_CLIENT_TLS_CACERT", "GRPC_SERVER_TLS_CERT", "GRPC_SERVER_TLS_KEY", "REDIS_TLS_CACERT")
    told = faults(GRPC_SERVER_USE_TLS="true", REDIS_TLS="true", **dict.fromkeys(names, absent))
    assert told == [f"{name}: names no file: {absent}" for name in names]


def test_warn_means_warning_whatever_its_case() -> None:
    assert settings.read({"LOG_LEVEL": "WARN"}).log_level == "warning"


def test_all_faults_come_at_once() -> None:
    told = faults(
        PORT="70000",
        FAILURE_MODE="maybe",
        STORE_DEADLINE="1 second",
        REDIS_URL="http://x",
        REDIS_POOL_SIZE="0",
        GRPC_SERVER_USE_TLS="true",
        GRPC_UDS="rl.sock",
        LOG_LEVEL="loud",
    )
    assert {line.partition(":")[0] for line in told} == {
        "PORT",
        "FAILURE_MODE",
        "STORE_DEADLINE",
        "REDIS_URL",
        "REDIS_POOL_SIZE",
        "GRPC_SERVER_TLS_CERT",
        "GRPC_SERVER_TLS_KEY",
        "GRPC_UDS",
        "LOG_LEVEL",
    }


@pytest.mark.parametrize("name", ["GRPC_CLIENT_TLS_CACERT", "GRPC_SERVER_TLS_CERT", "GRPC_SERVER_TLS_KEY"])
def test_a_file_for_tls_without_tls_is_a_fault(name: str, pem: str) -> None:
    assert faults(**{name: pem}) == [f"{name}: has no effect unless GRPC_SERVER_USE_TLS is true"]


def test_a_ca_for_a_store_without_tls_is_a_fault(pem: str) -> None:
    assert faults(REDIS_TLS_CACERT=pem) == [
        "REDIS_TLS_CACERT: has no effect unless REDIS_TLS is true or REDIS_URL begins with rediss://"
    ]
    assert faults(REDIS_TLS_CACERT=pem, REDIS_TLS="true", REDIS_URL="unix:///run/valkey.sock") == [
        "REDIS_TLS_CACERT: has no effect on a unix socket"
    ]


@pytest.mark.parametrize("written", ["0ms", "11s"])
def test_the_deadline_is_bounded(written: str) -> None:
    assert faults(STORE_DEADLINE=written) == [f"STORE_DEADLINE: must be from 1ms to 10s, but is '{written}'"]


def test_a_fault_never_shows_the_password() -> None:
    assert "s3cret" not in "".join(faults(REDIS_URL="http://u:s3cret@x"))
    assert "s3cret" not in repr(settings.read({"REDIS_AUTH": "s3cret"}))


def test_help_names_every_variable_with_its_default() -> None:
    text = settings.help_text()
    for variable in settings.VARIABLES:
        assert f"  {variable.name} " in text
    assert "Default: 10ms" in text
