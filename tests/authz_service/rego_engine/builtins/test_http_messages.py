"""Requests and responses as they go through the port."""

from __future__ import annotations

from authz_service.rego_engine.builtins.http_messages import HttpResponse, NetworkFault, Tls
from authz_service.rego_engine.errors import BUILTIN_ERROR


def test_the_first_of_equal_headers_counts() -> None:
    response = HttpResponse(200, "OK", (("a", "1"), ("a", "2")), b"")
    assert response.header("a") == "1"
    assert response.header("b") == ""


def test_a_network_fault_is_a_built_in_s_fault() -> None:
    assert NetworkFault("x").code == BUILTIN_ERROR


def test_a_client_s_certificate_is_known_from_each_of_its_sources() -> None:
    assert not Tls(key="k", authorities="a").has_client
    assert Tls(certificate="c").has_client
    assert Tls(certificate_file="c").has_client
    assert Tls(certificate_variable="c").has_client
