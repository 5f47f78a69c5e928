"""envoy/envoy.yaml bound to this machine: its ports, certificates, issuer and pace. All else stays as it ships."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

SHIPPED = Path(__file__).parent.parent / "envoy" / "envoy.yaml"
LOOPBACK = "127.0.0.1"
PATIENCE = "5s"  # in place of the shipped timeouts of Check, ShouldRateLimit and Process


@dataclass(frozen=True, slots=True)
class Binding:
    """What the shipped configuration is bound to."""

    gateway_port: int
    admin_port: int
    authz_port: int
    ratelimit_port: int
    upstream_port: int
    issuer_url: str
    certificate: Path
    key: Path
    client_ca: Path


def bind(shipped: Path, binding: Binding) -> str:
    """Return the configuration as JSON, which Envoy reads as well as YAML."""
    config = yaml.safe_load(shipped.read_text())
    config["admin"]["address"] = _address(binding.admin_port)
    listener = config["static_resources"]["listeners"][0]
    listener["address"] = _address(binding.gateway_port)
    chain = listener["filter_chains"][0]
    tls = chain["transport_socket"]["typed_config"]["common_tls_context"]
    tls["tls_certificates"] = [
        {"certificate_chain": {"filename": str(binding.certificate)}, "private_key": {"filename": str(binding.key)}}
    ]
    tls["validation_context"]["trusted_ca"]["filename"] = str(binding.client_ca)
    filters = {item["name"]: item["typed_config"] for item in chain["filters"][0]["typed_config"]["http_filters"]}
    for provider in filters["envoy.filters.http.jwt_authn"]["providers"].values():
        provider["issuer"] = binding.issuer_url
        provider["remote_jwks"]["http_uri"]["uri"] = f"{binding.issuer_url}/jwks"
    # A development machine stalls for longer than a gateway may make its callers wait.
    filters["envoy.filters.http.ext_authz"]["grpc_service"]["timeout"] = PATIENCE
    filters["envoy.filters.http.ratelimit"]["timeout"] = PATIENCE
    filters["envoy.filters.http.ext_proc"]["message_timeout"] = PATIENCE
    ports = {
        "authz_service": binding.authz_port,
        "authz_service_bodies": binding.authz_port,
        "ratelimit_service": binding.ratelimit_port,
        "upstream": binding.upstream_port,
        "issuer": urlsplit(binding.issuer_url).port,
    }
    for cluster in config["static_resources"]["clusters"]:
        cluster["type"] = "STATIC"
        cluster.pop("dns_lookup_family", None)
        cluster.pop("transport_socket", None)  # the development issuer speaks plain HTTP
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"] = _address(ports[cluster["name"]])
    return json.dumps(config, indent=1)


def _address(port: int | None) -> dict[str, Any]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}
