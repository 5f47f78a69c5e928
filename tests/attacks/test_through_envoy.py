"""Every attack through the real Envoy, over a real TLS connection: none reaches the upstream, whoever stops it."""

from __future__ import annotations

import http.client
import json
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.attacks import certificates, proofs, tokens
from tests.attacks.scene import BOUND, CERTIFICATES, MACHINES, PATH, Scene, Sent
from tests.authz_service.minting import SigningKey
from tests.authz_service.proving import b64
from tests.e2e.stack import Answer, Gateway, running

pytestmark = pytest.mark.e2e
ATTACKS = {attack.name: attack for attack in (*tokens.ALL, *proofs.ALL, *certificates.ALL)}
REFUSED = {400, 401, 403}
SETTINGS = {
    "identity": {"certificates": {"accept": [{"uri": "spiffe://company.example/agent/*"}]}},
    "routes": [
        {"name": "bound", "match": {"paths": [BOUND]}, "require_binding": "any"},
        {"name": "machines", "match": {"paths": [MACHINES]}, "credentials": "either"},
        {"name": "certificates", "match": {"paths": [CERTIFICATES]}, "credentials": "certificate"},
    ],
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "more.yaml").write_text(json.dumps(SETTINGS))
    with running(folder / "stack", "--authz-settings", str(folder / "more.yaml")) as started:
        yield started


@pytest.fixture(scope="module")
def scene(gateway: Gateway) -> Scene:
    """The stack's own issuer, its key in our hands: only so can tokens be wrong in one way alone."""
    told = httpx.get(f"{gateway.state.issuer_url}/key").json()
    signer = SigningKey(load_pem_private_key(told["pem"].encode(), None), told["algorithm"], told["kid"])
    shown = x509.load_pem_x509_certificate(Path(gateway.state.client_certificate).read_bytes())
    return Scene(gateway.state.issuer_url, signer, gateway.state.gateway_url, b64(shown.fingerprint(hashes.SHA256())))


def send(gateway: Gateway, sent: Sent, marker: str) -> Answer:
    """Send over a connection of its own, header names and values as they stand."""
    trust = ssl.create_default_context(cafile=gateway.state.ca_file)
    if sent.certificate:
        trust.load_cert_chain(gateway.state.client_certificate, gateway.state.client_key)
    url = urlsplit(gateway.state.gateway_url)
    connection = http.client.HTTPSConnection(url.hostname or "", url.port, context=trust, timeout=30)
    try:
        connection.putrequest(sent.method, sent.path, skip_accept_encoding=True)
        connection.putheader("X-Marker", marker)
        for name, value in sent.headers:
            connection.putheader(name, value.encode("utf-8"))
        connection.endheaders()
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
    finally:
        connection.close()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_and_reaches_nobody(gateway: Gateway, scene: Scene, name: str) -> None:
    attack, marker = ATTACKS[name], uuid.uuid4().hex
    answer = send(gateway, attack.make(scene), marker)
    assert answer.status in REFUSED, answer.body
    if "decision_id" in answer.body:  # it came to authz_service: Envoy stops some before
        assert (answer.status, answer.json()["error"]) == (attack.status, attack.code)
    assert not gateway.reached(marker)


def passes(gateway: Gateway, sent: Sent) -> None:
    marker = uuid.uuid4().hex
    answer = send(gateway, sent, marker)
    assert answer.status == 200, answer.body
    assert gateway.reached(marker)
    seen = answer.seen()["headers"]
    assert not {"authorization", "dpop"} & set(seen), "credentials are not the upstream's business"


def test_what_is_no_attack_passes(gateway: Gateway, scene: Scene) -> None:
    passes(gateway, scene.bearer(scene.token()))
    token = scene.by_key
    proof = scene.proof(token)
    passes(gateway, scene.dpop(token, proof))
    again = send(gateway, scene.dpop(token, proof), "again")
    assert (again.status, again.json()["error"]) == (401, "proof_replayed")
    passes(gateway, scene.dpop(token, scene.proof(token, htu=f"{scene.origin}{PATH}?x=1"), path=f"{PATH}?page=2"))
    own = scene.token(cnf={"x5t#S256": scene.thumbprint})
    passes(gateway, scene.bearer(own, certificate=True))
    passes(gateway, Sent(certificate=True, path=MACHINES))


def test_most_attacks_come_to_the_service_itself(gateway: Gateway, scene: Scene) -> None:
    """Were Envoy to stop them all, nothing would be said of what stands behind it."""
    answers = [send(gateway, attack.make(scene), "x") for attack in ATTACKS.values()]
    assert sum("decision_id" in answer.body for answer in answers) >= 80
