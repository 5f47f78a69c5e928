"""What an attacker has to work with, and what an attack is.

He has: a key of his own, the public keys of everybody, tokens that he stole, a client certificate that our CA has
signed for him. He has not: the issuer's private key, the holder's private key, the holder's certificate.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.authz_service.certifying import certificate
from tests.authz_service.minting import SigningKey, key
from tests.authz_service.proving import Prover, ath, prover

PATH = "/reports"
BOUND = "/bound"  # a route that takes no plain bearer token
MACHINES = "/machines"  # a route that takes a client certificate alone
CERTIFICATES = "/certificates"  # a route that takes nothing else


@dataclass(frozen=True)
class Sent:
    """One request as the attacker sends it: header names and values as they are written, repeated ones too.

    `certificate`: whether his connection shows the certificate that he has.
    """

    headers: Sequence[tuple[str, str]] = ()
    path: str = PATH
    method: str = "GET"
    certificate: bool = False


@dataclass(frozen=True)
class Scene:
    """Where the attack takes place. `thumbprint` is of the attacker's own client certificate."""

    issuer: str
    signer: SigningKey
    origin: str
    thumbprint: str
    holder: Prover = field(default_factory=prover)
    thief: Prover = field(default_factory=lambda: prover(number=8))

    @cached_property
    def other_thumbprint(self) -> str:
        """Of somebody else's certificate."""
        return certificate("spiffe://company.example/agent/other", 9).thumbprint

    def claims(self, **changed: Any) -> dict[str, Any]:
        """What the issuer writes; a claim given as None is left out."""
        now = int(time.time())
        usual = {
            "iss": self.issuer, "aud": "agent-gateway", "sub": "alice", "agent_id": f"desktop-{uuid.uuid4().hex[:8]}",
            "roles": ["engineer"], "iat": now, "exp": now + 600, "jti": uuid.uuid4().hex,
        }  # fmt: skip
        return {name: value for name, value in {**usual, **changed}.items() if value is not None}

    def token(self, **changed: Any) -> str:
        """A token that holds, but for what is changed."""
        return self.signer.sign(self.claims(**changed))

    def signed(self, header: Mapping[str, Any], by: SigningKey | None = None, **changed: Any) -> str:
        """A token with another header, a member given as None left out."""
        signer = by or self.signer
        usual = {"alg": signer.algorithm, "kid": self.signer.kid, "typ": "JWT", **header}
        return signer.sign_raw(
            {name: value for name, value in usual.items() if value is not None}, self.claims(**changed)
        )

    @property
    def by_key(self) -> str:
        """A token that is bound to the holder's key."""
        return self.token(cnf={"jkt": self.holder.jkt})

    @property
    def by_certificate(self) -> str:
        """A token that is bound to somebody else's certificate."""
        return self.token(cnf={"x5t#S256": self.other_thumbprint})

    def proof(
        self, token: str, by: Prover | None = None, header: Mapping[str, Any] | None = None, **changed: Any
    ) -> str:
        """A proof for a GET of `PATH` that holds, but for what is changed."""
        usual = {"htu": self.origin + PATH, "iat": int(time.time()), "ath": ath(token)}
        return (by or self.holder).proof(token, header, **{**usual, **changed})

    def bearer(self, token: str, **more: Any) -> Sent:
        """A request with a plain token."""
        return Sent([("Authorization", f"Bearer {token}")], **more)

    def dpop(self, token: str, *proofs: str, scheme: str = "DPoP", **more: Any) -> Sent:
        """A request with a token and proofs."""
        return Sent([("Authorization", f"{scheme} {token}"), *(("DPoP", proof) for proof in proofs)], **more)

    def proven(self, token: str, by: Prover | None = None) -> Sent:
        """A request with a token and a proof for it that holds."""
        return self.dpop(token, self.proof(token, by=by))


@dataclass(frozen=True)
class Attack:
    """An attack by name, and how it is refused."""

    name: str
    make: Callable[[Scene], Sent]
    code: str
    status: int = 401


def other_key(algorithm: str = "ES256") -> SigningKey:
    """A key of the attacker's own."""
    return key(algorithm, "attacker", 5)
