"""What a measured stack has in place of devstack's: limits that deny nothing, an upstream, an Envoy without filters."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.gateway_stack import EXT_PROC, PLENTY, answering, generous, without_bodies, without_filters
from ratelimit_service import config
from ratelimit_service.config import Source

ROOT = Path(__file__).parents[2]
SHIPPED_LIMITS = ROOT / "limits" / "config" / "agent-gateway.yaml"
SHIPPED_ENVOY = ROOT / "envoy" / "envoy.yaml"


def _manager(envoy: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = envoy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def test_generous_limits_are_the_same_rules_with_higher_numbers(tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_text(generous(SHIPPED_LIMITS.read_text()))
    wide = {rule.path: rule for rule in config.load(Source(tmp_path)).rules()}
    shipped = {rule.path: rule for rule in config.load(Source(SHIPPED_LIMITS.parent)).rules()}
    assert wide.keys() == shipped.keys()
    for path, rule in shipped.items():
        limit = wide[path].limit
        assert type(limit) is type(rule.limit)
        assert limit is None or limit.requests_per_unit == PLENTY["requests_per_unit"]


def test_envoy_alone_differs_from_the_gateway_by_its_filters_only() -> None:
    shipped = yaml.safe_load(SHIPPED_ENVOY.read_text())
    alone = without_filters(copy.deepcopy(shipped), 4711)
    assert [each["name"] for each in _manager(alone)["http_filters"]] == ["envoy.filters.http.router"]
    assert [each["name"] for each in alone["static_resources"]["clusters"]] == ["upstream"]
    assert alone["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] == 4711
    same = ("access_log", "early_header_mutation_extensions", "http2_protocol_options", "use_remote_address")
    assert all(_manager(alone)[name] == _manager(shipped)[name] for name in same)
    chains = [each["static_resources"]["listeners"][0]["filter_chains"][0] for each in (alone, shipped)]
    assert chains[0]["transport_socket"] == chains[1]["transport_socket"]


def test_a_gateway_without_bodies_differs_by_that_filter_only() -> None:
    shipped = yaml.safe_load(SHIPPED_ENVOY.read_text())
    changed = copy.deepcopy(shipped)
    without_bodies(changed)
    assert [each for each in _manager(shipped)["http_filters"] if each not in _manager(changed)["http_filters"]] == [
        next(each for each in _manager(shipped)["http_filters"] if each["name"] == EXT_PROC)
    ]
    _manager(changed)["http_filters"] = _manager(shipped)["http_filters"]
    assert changed == shipped
    with pytest.raises(ValueError, match=EXT_PROC):
        without_bodies({**shipped, **without_filters(shipped, 4711)})


def test_the_upstream_answers_by_itself() -> None:
    (host,) = _manager(answering(4711))["route_config"]["virtual_hosts"]
    assert host["routes"][0]["direct_response"]["status"] == 200
