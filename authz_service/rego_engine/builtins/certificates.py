"""The built-in functions about certificates and certificate requests: crypto.x509.parse_… and their verification.

What they read is kept, by its text: a policy mostly sees the same few certificates. Private keys are never kept.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from typing import Final

from authz_service.rego_engine.builtins import pem, private_keys, x509_json, x509_requests
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.octets import from_base64, to_base64
from authz_service.rego_engine.builtins.registry import builtin, obj, string
from authz_service.rego_engine.builtins.x509_certificates import Certificate, certificate, certificates
from authz_service.rego_engine.builtins.x509_chains import Demands, verified
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, entries, members

MAX_CHARACTERS: Final = 262_144  # of a text with certificates or a request

_LABEL: Final = "CERTIFICATE"
_REQUEST: Final = "CERTIFICATE REQUEST"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_TIME: Final = 2**63  # nanoseconds, as 64 bits hold them
_USAGES: Final = {
    name: number
    for number, name in enumerate(
        (
            "KeyUsageAny",
            "KeyUsageServerAuth",
            "KeyUsageClientAuth",
            "KeyUsageCodeSigning",
            "KeyUsageEmailProtection",
            "KeyUsageIPSECEndSystem",
            "KeyUsageIPSECTunnel",
            "KeyUsageIPSECUser",
            "KeyUsageTimeStamping",
            "KeyUsageOCSPSigning",
            "KeyUsageMicrosoftServerGatedCrypto",
            "KeyUsageNetscapeServerGatedCrypto",
            "KeyUsageMicrosoftCommercialCodeSigning",
            "KeyUsageMicrosoftKernelCodeSigning",
        )
    )
}


@builtin("crypto.x509.parse_certificates")
def parse_certificates(certs: Value) -> Value:
    """Return the certificates of a text, PEM or base64 of PEM or DER, as objects."""
    return [x509_json.with_uri_texts(one) for one in _certificates(_bounded(certs, 1))]


@builtin("crypto.x509.parse_and_verify_certificates", context=True)
def parse_and_verify_certificates(context: Context, certs: Value) -> Value:
    """Return whether the last certificate comes from the first by those between, and the chain, leaf first."""
    chain = _chain(_bounded(certs, 1), Demands(_at(context.time_ns)))
    return [bool(chain), [x509_json.with_uri_texts(one) for one in chain]]


@builtin("crypto.x509.parse_and_verify_certificates_with_options", context=True)
def parse_and_verify_certificates_with_options(context: Context, certs: Value, options: Value) -> Value:
    """Do the same, for a name, a time or uses that the options demand."""
    text, wanted = _bounded(certs, 1), obj(options, 2)
    try:
        _certificates(text)
    except BuiltinFault:
        return [False, []]
    chain = _chain(text, _demands(wanted, context.time_ns))
    return [bool(chain), [x509_json.shown(one) for one in chain]]


@builtin("crypto.x509.parse_certificate_request")
def parse_certificate_request(csr: Value) -> Value:
    """Return a certificate signing request, PEM or base64 of PEM or DER, as an object."""
    text = _bounded(csr, 1)
    if not text.startswith(f"-----BEGIN {_REQUEST}-----"):
        octets = from_base64(text)
        text = octets.decode("latin-1")
    else:
        octets = b""
    block = next(pem.blocks(text), None)
    if block is not None and block.label != _REQUEST:
        raise BuiltinFault("invalid PEM-encoded certificate signing request")
    return x509_requests.shown(block.octets if block else octets)


@builtin("crypto.x509.parse_keypair", pure=False)
def parse_keypair(cert: Value, pem_key: Value) -> Value:
    """Return a certificate and the private key that belongs to it, each PEM or base64 of PEM or DER."""
    chain, key = _bounded(cert, 1), _bounded(pem_key, 1)
    found = [block.octets for block in pem.blocks(_as_pem(chain, _LABEL)) if block.label == _LABEL]
    if not found:
        raise BuiltinFault("tls: failed to find certificate PEM data in certificate input")
    leaf = certificate(found[0])
    private = private_keys.of_pair(_as_pem(key, "PRIVATE KEY"))
    if leaf.key is None or not private_keys.belongs(private, leaf.key):
        raise BuiltinFault("tls: private key does not match public key")
    return {
        "Certificate": [to_base64(one) for one in found],
        "Leaf": x509_json.shown(leaf),
        "OCSPStaple": None,
        "PrivateKey": private_keys.shown(private),
        "SignedCertificateTimestamps": None,
        "SupportedSignatureAlgorithms": None,
    }


def _bounded(value: Value, position: int) -> str:
    text = string(value, position)
    if len(text) > MAX_CHARACTERS:
        raise BuiltinFault(f"operand {position} is longer than {MAX_CHARACTERS} characters")
    return text


@functools.lru_cache(maxsize=32)
def _certificates(text: str) -> tuple[Certificate, ...]:
    octets = b""
    if not pem.is_pem(text):
        octets = from_base64(text)
        text = octets.decode("latin-1")
        if not pem.is_pem(text):
            return certificates(octets)
    found: list[bytes] = []
    for block in pem.blocks(text):
        if block.label != _LABEL:
            raise BuiltinFault(f"PEM block type is not the expected {_LABEL}")
        found.append(block.octets)
    return certificates(b"".join(found))


def _chain(text: str, demands: Demands) -> tuple[Certificate, ...]:
    try:
        return verified(_certificates(text), demands) or ()
    except BuiltinFault:
        return ()


def _as_pem(text: str, label: str) -> str:
    """Return PEM as it stands, and base64 of PEM or of DER as PEM."""
    start = "-----BEGIN "
    if text.startswith(start):
        return text
    octets = from_base64(text)
    if octets.startswith(start.encode()):
        return octets.decode("latin-1")
    return f"{start}{label}-----\n{to_base64(octets)}\n-----END {label}-----\n"


def _demands(options: dict[Value, Value], now_ns: int) -> Demands:
    """Read the options; one that is not known is a fault."""
    host, at = "", _at(now_ns)
    usages: tuple[int, ...] = ()
    for name, value in entries(options):
        if type(name) is not str:
            continue
        if name == "DNSName":
            if type(value) is not str:
                raise BuiltinFault("'DNSName' should be a string")
            host = value.strip('"')
        elif name == "CurrentTime":
            if type(value) is not int or not -_LARGEST_TIME <= value < _LARGEST_TIME:
                raise BuiltinFault("'CurrentTime' should be a number of 64 bits")
            at = _at(value)
        elif name == "MaxConstraintComparisons":
            if type(value) is not int:
                raise BuiltinFault("'MaxConstraintComparisons' should be a number")
        elif name == "KeyUsages":
            usages = _usages(value)
        else:
            raise BuiltinFault("invalid key option")
    return Demands(at, host, usages)


def _usages(value: Value) -> tuple[int, ...]:
    if type(value) not in {list, set}:
        raise BuiltinFault("'KeyUsages' should be an Array or Set")
    names = [name.strip('"') for name in (members(value) if type(value) is set else value) if type(name) is str]
    if not set(names) <= set(_USAGES):
        raise BuiltinFault("invalid entries for 'KeyUsages' found")
    return tuple(_USAGES[name] for name in names)


def _at(time_ns: int) -> datetime:
    """Return a time of at most 64 bits of nanoseconds, to the microsecond."""
    return _EPOCH + timedelta(microseconds=max(min(time_ns, _LARGEST_TIME), -_LARGEST_TIME) // 1_000)
