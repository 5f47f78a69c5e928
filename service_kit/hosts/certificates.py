"""The certificate, key and client CA of a gRPC host: looked at before they are used, and followed on disk."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from service_kit.faults import ConfigurationError, Fault
from service_kit.hosts.envoy_bootstrap import secrets
from service_kit.listening import ListenError, Tls
from service_kit.reload import Reloader


def verify(tls: Tls) -> None:
    """Raise `ListenError` where they are of no use. A host would keep quiet, and close every connection."""
    for path in _files(tls):
        try:
            path.read_bytes()
        except OSError as error:
            raise ListenError(f"{path} cannot be read: {error.strerror}") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=lambda: "")
    except (OSError, ValueError) as error:
        text = f"{tls.certificate} and {tls.key} cannot be used. Are certificate and key a pair, both in PEM?"
        raise ListenError(text) from error
    if (end := _end(tls.certificate)) is not None and end <= datetime.now(UTC):
        raise ListenError(f"{tls.certificate} has expired: it was good until {end:%Y-%m-%d %H:%M} UTC")
    if tls.client_ca is not None:
        try:
            context.load_verify_locations(tls.client_ca)
        except (OSError, ValueError) as error:
            raise ListenError(f"{tls.client_ca} holds no certificates in PEM") from error


def _end(certificate: Path) -> datetime | None:
    """Return until when a certificate is good, where that can be read: a host shows it for as long as it is told to."""
    from cryptography import x509  # noqa: PLC0415  (large, and only for who has certificates)

    with suppress(OSError, ValueError):  # OpenSSL has taken it, and reads more forms
        return x509.load_pem_x509_certificates(certificate.read_bytes())[0].not_valid_after_utc
    return None


def follow(tls: Tls, renewed: Callable[[], None]) -> Reloader[None]:
    """Return what watches the files, and calls `renewed` when there are new ones that can be used."""

    async def load() -> None:
        try:
            await asyncio.to_thread(verify, tls)
        except ListenError as error:
            raise ConfigurationError([Fault(str(tls.certificate), 0, str(error))]) from error

    return Reloader("certificates", _files(tls), load, lambda _: renewed(), lambda _: None)


def secret_files(tls: Tls, generation: int) -> Mapping[str, str]:
    """Return the files, by name, that tell Envoy where they lie; a higher generation makes it read them again."""
    return {f"{name}.json": json.dumps(content) for name, content in secrets(tls, generation).items()}


def renew(tls: Tls, folder: Path, generation: int) -> None:
    """Write those files anew."""
    for name, text in secret_files(tls, generation).items():
        written = folder / f"{name}.new"
        written.write_text(text, "utf-8")
        written.replace(folder / name)  # Envoy watches for moves


def _files(tls: Tls) -> list[Path]:
    return [path for path in (tls.certificate, tls.key, tls.client_ca) if path is not None]
