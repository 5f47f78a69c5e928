"""A client certificate, as the proxy hands it over → what it says (RFC 5280). Pure but for what it keeps.

The proxy has verified that the client holds its key and, where it is told to, who signed it. Here it is only read; its
time is looked at again with each request, since connections outlive certificates.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from authz_service.errors import CredentialRefused
from authz_service.identity import jws
from authz_service.model import Certificate

MAX_CERTIFICATE = 64 * 1024  # characters, URL-encoded
MAX_NAMES = 100  # of one kind in one certificate
MAX_KEPT = 1_000  # certificates, of about 1 KB each

# The library's faults that are no ValueError.
_FAULTS = (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True, slots=True)
class ReadCertificate:
    """A certificate, and from when until when it holds, in epoch seconds."""

    certificate: Certificate
    begins: float
    ends: float


class Certificates:
    """Reads certificates, and keeps those it has read: one comes with each request of its connection."""

    def __init__(self) -> None:
        self._known: dict[bytes, ReadCertificate] = {}

    def __len__(self) -> int:
        return len(self._known)

    def read(self, text: str, now: float) -> Certificate:
        """Read a URL-encoded PEM certificate, as `source.certificate` has it; `now` is in epoch seconds.

        Raises:
            CredentialRefused: it cannot be read, or does not hold now.
        """
        if len(text) > MAX_CERTIFICATE:
            raise _refused("certificate_malformed", "the client certificate is too large")
        digest = hashlib.sha256(text.encode()).digest()
        known = self._known.get(digest)
        if known is None:
            known = _read(text)
            if len(self._known) >= MAX_KEPT:
                del self._known[next(iter(self._known))]
            self._known[digest] = known
        if not known.begins <= now <= known.ends:
            raise _refused("certificate_expired", "the client certificate is not valid now")
        return known.certificate


def _read(text: str) -> ReadCertificate:
    try:
        # Not `unquote_plus`: the plus signs are base64's.
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what the library only warns of breaks RFC 5280 all the same
            found = x509.load_pem_x509_certificate(unquote(text, errors="strict").encode("ascii"))
            names = _names(found)
        certificate = Certificate(
            sha256=jws.encode(hashlib.sha256(found.public_bytes(Encoding.DER)).digest()),
            subject=found.subject.rfc4514_string(),
            uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier))[:MAX_NAMES] if names else (),
            dns_names=tuple(names.get_values_for_type(x509.DNSName))[:MAX_NAMES] if names else (),
        )
        return ReadCertificate(
            certificate, found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
        )
    except (ValueError, TypeError, OverflowError, Warning, *_FAULTS) as error:
        raise _refused("certificate_malformed", "the client certificate cannot be read") from error


def _names(found: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _refused(code: str, text: str) -> CredentialRefused:
    return CredentialRefused(code, text)
