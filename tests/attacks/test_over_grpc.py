"""Every attack on the service itself, over a real gRPC channel, as a proxy would pass it on; and what is no attack."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from urllib.parse import quote

import grpc
import pytest

from service_kit.wire import ext_authz_pb2
from tests.attacks import certificates, proofs, tokens
from tests.attacks.scene import BOUND, CERTIFICATES, MACHINES, Attack, Scene, Sent
from tests.authz_service.certifying import ClientCertificate, certificate
from tests.authz_service.minting import ISSUER, key, key_set
from tests.wire import processes
from tests.wire.processes import Running

CHECK = "/envoy.service.auth.v3.Authorization/Check"
URI = "spiffe://company.example/agent/mallory"
ORIGIN = "https://api.example"
SIGNER = key("ES256")
OWN: ClientCertificate = certificate(URI, 4, days=36_500)
ATTACKS = {attack.name: attack for attack in (*tokens.ALL, *proofs.ALL, *certificates.ALL)}
IDENTITY = {
    "issuers": [{"issuer": ISSUER, "audiences": ["agent-gateway"], "algorithms": ["ES256"], "jwks_file": "jwks.json"}],
    "dpop": {"origins": [ORIGIN], "replay": "memory"},
    "certificates": {"accept": [{"uri": "spiffe://company.example/agent/*"}]},
}
ROUTES = [
    {"name": "bound", "match": {"paths": [BOUND]}, "require_binding": "any"},
    {"name": "machines", "match": {"paths": [MACHINES]}, "credentials": "either"},
    {"name": "certificates", "match": {"paths": [CERTIFICATES]}, "credentials": "certificate"},
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "jwks.json").write_bytes(key_set(SIGNER))
    (folder / "policy").mkdir()
    (folder / "policy" / "open.rego").write_text("package open\n\nallow := true\n")
    policy = {"paths": ["policy"], "decision": "open/allow"}
    with processes.authz_service(
        folder, processes.Keys(folder / "policy"), identity=IDENTITY, routes=ROUTES, policy=policy
    ) as running:
        yield running


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(ISSUER, SIGNER, ORIGIN, OWN.thumbprint)


def check(running: Running, sent: Sent) -> ext_authz_pb2.CheckResponse:
    """Ask as Envoy does: names in lower case, repeated headers joined, the connection's certificate beside."""
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host, http.scheme = sent.method, sent.path, "api.example", "https"
    for name, value in sent.headers:
        known = http.headers.get(name.lower())
        http.headers[name.lower()] = value if known is None else f"{known},{value}"
    if sent.certificate:
        request.attributes.source.certificate = quote(OWN.pem, safe="")
        request.attributes.source.principal = URI
    with grpc.insecure_channel(running.grpc) as channel:
        answer: bytes = channel.unary_unary(CHECK)(request.SerializeToString(), timeout=10)
    return ext_authz_pb2.CheckResponse.FromString(answer)


def test_there_are_many_attacks() -> None:
    assert len(ATTACKS) == len(tokens.ALL) + len(proofs.ALL) + len(certificates.ALL) >= 80


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_with_its_status_and_says_nothing_of_the_credential(
    service: Running, scene: Scene, name: str
) -> None:
    attack: Attack = ATTACKS[name]
    sent = attack.make(scene)
    response = check(service, sent)
    denied = response.denied_response
    assert json.loads(denied.body)["error"] == attack.code
    assert denied.status.code == attack.status
    assert response.status.code != 0
    headers = {option.header.key: option.header.value for option in denied.headers}
    assert ("www-authenticate" in headers) == (attack.status in {400, 401})
    shown = denied.body + str(headers) + service.log.read_text("utf-8") + service.output.read_text("utf-8")
    for name_, value in sent.headers:
        for part in value.split("."):
            if name_.lower() in {"authorization", "dpop"} and len(part) > 40:
                assert part not in shown


# What is no attack: the same service lets it pass.


def passes(service: Running, sent: Sent) -> None:
    response = check(service, sent)
    assert response.status.code == 0, response.denied_response.body


def test_the_holder_of_a_token_passes(service: Running, scene: Scene) -> None:
    passes(service, scene.bearer(scene.token()))


def test_the_holder_of_a_key_passes_with_each_proof_once(service: Running, scene: Scene) -> None:
    token = scene.by_key
    proof = scene.proof(token)
    passes(service, scene.dpop(token, proof))
    again = check(service, scene.dpop(token, proof))
    assert json.loads(again.denied_response.body)["error"] == "proof_replayed"
    passes(service, scene.dpop(token, scene.proof(token)))
    passes(service, Sent(scene.dpop(token, scene.proof(token, htu=ORIGIN + BOUND)).headers, path=BOUND))


def test_the_holder_of_a_certificate_passes(service: Running, scene: Scene) -> None:
    token = scene.token(cnf={"x5t#S256": OWN.thumbprint})
    passes(service, scene.bearer(token, certificate=True))
    passes(service, scene.bearer(token, certificate=True, path=BOUND))
    passes(service, Sent(certificate=True, path=MACHINES))
    passes(service, Sent(certificate=True, path=CERTIFICATES))
    passes(service, scene.bearer(scene.token(), path=MACHINES))


def test_who_needs_both_passes_with_both(service: Running, scene: Scene) -> None:
    token = scene.token(cnf={"jkt": scene.holder.jkt, "x5t#S256": OWN.thumbprint})
    passes(service, scene.dpop(token, scene.proof(token), certificate=True))


def test_a_challenge_names_the_scheme_and_its_algorithms(service: Running, scene: Scene) -> None:
    denied = check(service, scene.bearer(scene.by_key)).denied_response
    headers = {option.header.key: option.header.value for option in denied.headers}
    assert headers["www-authenticate"].startswith('DPoP realm="agent-gateway", error="invalid_token"')
    assert 'algs="ES256 EdDSA PS256 RS256"' in headers["www-authenticate"]


def test_tokens_are_made_anew_for_each_attack(scene: Scene) -> None:
    """None is refused because it was used by another test, or has expired."""
    payload = scene.token().split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["exp"] > time.time() + 500
