"""Envoy's bootstrap for the pyvoy host: what an operator or an auditor would look for in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service_kit.hosts.envoy_bootstrap import bootstrap, secrets
from service_kit.listening import Limits, Tls

FOLDER = Path("/run/worker")
TLS = Tls(Path("/tls/server.pem"), Path("/tls/server.key"), Path("/tls/clients.pem"))


def made(address: str = "127.0.0.1:1234", tls: Tls | None = None, **changes: Any) -> Any:
    settings = {"shared": False, "module": "/m.so", "application": "a:b", "folder": FOLDER, "admin": FOLDER / "admin"}
    return bootstrap(address, Limits(), tls=tls, **{**settings, **changes})


def listener_of(made: Any) -> Any:
    (listener,) = made["static_resources"]["listeners"]
    return listener


def manager_of(made: Any) -> Any:
    return listener_of(made)["filter_chains"][0]["filters"][0]["typed_config"]


def test_it_can_be_written_as_json_and_names_no_port_but_the_one_it_is_for() -> None:
    text = json.dumps(made(tls=TLS))
    assert text.count("port_value") == 1
    assert made()["admin"] == {"address": {"pipe": {"path": "/run/worker/admin", "mode": 0o600}}}


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1:1234", {"socket_address": {"address": "127.0.0.1", "port_value": 1234}}),
        ("[::1]:0", {"socket_address": {"address": "::1", "port_value": 0}}),
        ("unix:///run/s", {"pipe": {"path": "/run/s"}}),
    ],
)
def test_it_listens_where_it_is_told_to(address: str, place: object) -> None:
    assert listener_of(made(address))["address"] == place


def test_the_port_is_shared_with_other_workers_only_where_there_are_some() -> None:
    assert listener_of(made())["enable_reuse_port"] is False
    assert listener_of(made(shared=True))["enable_reuse_port"] is True


def test_every_bound_of_the_host_is_in_it() -> None:
    manager = manager_of(made())
    assert manager["codec_type"] == "HTTP2"
    assert manager["http2_protocol_options"]["max_concurrent_streams"] == Limits().connection_calls
    assert manager["http2_protocol_options"]["stream_reset_burst"] == 100_000
    (monitor,) = made()["overload_manager"]["resource_monitors"]
    assert monitor["typed_config"]["max_active_downstream_connections"] == Limits().connections


def test_tls_asks_for_client_certificates_only_where_there_is_a_ca_for_them() -> None:
    assert "transport_socket" not in listener_of(made())["filter_chains"][0]
    for tls, asked in ((TLS, True), (Tls(TLS.certificate, TLS.key), False)):
        context = listener_of(made(tls=tls))["filter_chains"][0]["transport_socket"]["typed_config"]
        assert context["require_client_certificate"] is asked
        assert ("validation_context_sds_secret_config" in context["common_tls_context"]) is asked
        assert context["common_tls_context"]["tls_params"] == {"tls_minimum_protocol_version": "TLSv1_2"}


def test_each_generation_of_secrets_says_something_new_of_the_same_files() -> None:
    told = [secrets(TLS, generation) for generation in range(3)]
    assert set(told[0]) == {"server", "clients"}
    for name in told[0]:
        assert told[0][name] != told[1][name] != told[2][name]
    for secret in told:
        (resource,) = secret["server"]["resources"]
        named = resource["tls_certificate"]["private_key"]["filename"]
        assert Path(named).resolve() == TLS.key
    assert "clients" not in secrets(Tls(TLS.certificate, TLS.key), 0)
