"""Certificates for a test: made anew for each run, no key lies in the repository."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def make_pair(name: str, issuer: Pair | None = None, hours: float = 1.0) -> Pair:
    """A certificate for this machine, or an authority where there is no issuer; good for so many hours from now."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=hours))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return Pair(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Two authorities, a server and a client of the first, and a client of the second."""

    folder: Path
    authority: Pair
    client: Pair
    stranger: Pair

    def tls(self, *, mutual: bool) -> list[str]:
        """What the host is given: certificate, key, client CA."""
        client_ca = str(self.folder / "authority.pem") if mutual else ""
        return [str(self.folder / "server.pem"), str(self.folder / "server.key"), client_ca]

    def credentials(self, shown: Pair | None = None) -> grpc.ChannelCredentials:
        """What a client trusts and shows."""
        if shown is None:
            return grpc.ssl_channel_credentials(self.authority.pem())
        return grpc.ssl_channel_credentials(self.authority.pem(), shown.key_pem(), shown.pem())


def make_certificates(folder: Path) -> Certificates:
    """Make all of them, with some files that are of no use."""
    authority, other = make_pair("authority"), make_pair("another authority")
    server = make_pair("server", authority)
    (folder / "authority.pem").write_bytes(authority.pem())
    write(folder, "server", server)
    (folder / "other.key").write_bytes(other.key_pem())
    (folder / "nonsense.pem").write_text("nonsense")
    return Certificates(folder, authority, make_pair("client", authority), make_pair("stranger", other))


def write(folder: Path, name: str, pair: Pair) -> None:
    """Write a pair over what is there."""
    (folder / f"{name}.pem").write_bytes(pair.pem())
    (folder / f"{name}.key").write_bytes(pair.key_pem())
