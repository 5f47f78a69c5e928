"""Client certificates, made for the tests."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.authz_service.minting import NOW


@dataclass(frozen=True)
class ClientCertificate:
    """A certificate as PEM, and the SHA-256 of its DER form in both spellings."""

    pem: str
    hexdigest: str

    @property
    def thumbprint(self) -> str:
        """As a token's `x5t#S256` has it."""
        return base64.urlsafe_b64encode(bytes.fromhex(self.hexdigest)).rstrip(b"=").decode()


@cache
def certificate(
    uri: str = "", number: int = 1, *, days: float = 30, dns: Sequence[str] = (), subject: str = "agent"
) -> ClientCertificate:
    """A certificate that signs itself; `number` tells those of one name apart, `days` is how long it holds from now."""
    del number
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    names = [*([x509.UniformResourceIdentifier(uri)] if uri else []), *map(x509.DNSName, dns)]
    now = datetime.fromtimestamp(NOW, UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
    )
    if names:
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = built.sign(key, hashes.SHA256())
    der = signed.public_bytes(Encoding.DER)
    return ClientCertificate(signed.public_bytes(Encoding.PEM).decode(), hashlib.sha256(der).hexdigest())
