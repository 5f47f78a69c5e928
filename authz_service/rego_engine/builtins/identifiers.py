"""UUIDs (RFC 9562): making random ones, and reading what one says of itself."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.values import UNDEFINED, Value, key

_HEXADECIMAL: Final = b"0123456789abcdefABCDEF"
_DASHES: Final = (8, 13, 18, 23)
_EPOCH: Final = 0x01B2_1DD2_1381_4000  # 1970-01-01 in UUIDs' time: units of 100 ns since 1582-10-15
_DOMAINS: Final = ("Person", "Group", "Org")  # of version 2: DCE 1.1, Authentication and Security Services


@builtin("uuid.rfc4122", context=True)
def random_uuid(context: Context, name: Value) -> Value:
    """A random UUID (version 4); within one evaluation the same for the same name."""
    place = ("uuid.rfc4122", key(name))
    if place not in context.cache:
        context.cache[place] = str(UUID(int=context.random.getrandbits(128), version=4))
    return context.cache[place]


@builtin("uuid.parse")
def parse(text: Value) -> Value:
    """Version and variant of a UUID, of versions 1 and 2 also time (ns since the epoch), node and clock sequence.

    What is no UUID has no parts: the result is undefined, which is no fault.
    """
    found = _read(string(text, 1))
    if found is None:
        return UNDEFINED
    version = found.bytes[6] >> 4
    parts: dict[Any, Value] = {"version": version, "variant": _variant(found.bytes[8])}
    if version not in {1, 2}:
        return parts
    node = found.bytes[10:]
    parts["time"] = _signed((found.time - _EPOCH) * 100)
    parts["nodeid"] = node.hex("-")
    parts["macvariables"] = f"{'local' if node[0] & 2 else 'global'}:{'multicast' if node[0] & 1 else 'unicast'}"
    parts["clocksequence"] = found.clock_seq
    if version == 2:  # noqa: PLR2004  (its number)
        domain = found.bytes[9]
        parts["id"] = found.time_low
        parts["domain"] = _DOMAINS[domain] if domain < len(_DOMAINS) else f"Domain{domain}"
    return parts


def _read(text: str) -> UUID | None:
    """Read a UUID: plain, after `urn:uuid:`, between any two characters of one byte, or without dashes."""
    digits = text.encode("utf-8", "surrogatepass")
    if len(digits) != 32:  # noqa: PLR2004  (hexadecimal digits)
        if len(digits) == len("urn:uuid:") + 36 and digits[:9].lower() == b"urn:uuid:":
            digits = digits[9:]
        elif len(digits) == 36 + 2:  # Microsoft's braces; OPA looks at neither
            digits = digits[1:-1]
        if len(digits) != 36 or any(digits[place] != ord("-") for place in _DASHES):  # noqa: PLR2004  (with dashes)
            return None
        digits = digits[:8] + digits[9:13] + digits[14:18] + digits[19:23] + digits[24:]
    if digits.translate(None, _HEXADECIMAL):
        return None
    return UUID(bytes=bytes.fromhex(digits.decode("ascii")))


def _variant(octet: int) -> str:
    """Return whose layout it is (RFC 9562 section 4.1), by the highest bits of the ninth octet."""
    if octet & 0x80 == 0:
        return "Reserved"
    if octet & 0x40 == 0:
        return "RFC4122"
    return "Microsoft" if octet & 0x20 == 0 else "Future"


def _signed(nanoseconds: int) -> int:
    """Return a time as a signed number of 64 bits, which one before 1677 or after 2262 overruns, as it does in OPA."""
    return (nanoseconds + 2**63) % 2**64 - 2**63
