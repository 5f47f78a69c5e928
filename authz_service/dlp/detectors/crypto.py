"""Addresses of crypto-currency wallets: they name a person's account, and all that was ever paid to it."""

from __future__ import annotations

import hashlib
import random

from authz_service.dlp.detectors import validators
from authz_service.dlp.detectors.context import AFTER, BEFORE, Context, compiled
from authz_service.dlp.detectors.detector import Detector

_BASE58 = r"[13][1-9A-HJ-NP-Za-km-z]{25,34}"
_SEGWIT = r"(?:bc|tb)1[02-9ac-hj-np-z]{11,87}|(?:BC|TB)1[02-9AC-HJ-NP-Z]{11,87}"
_ETHEREUM = r"0x[0-9a-fA-F]{40}"
_HASH_SIZE = 21  # bytes: the version and a RIPEMD-160
_VERSIONS = frozenset({0x00, 0x05})  # pay to public key hash, pay to script hash

ETHEREUM_WORDS = Context((
    "eth", "ethereum", "ether", "wallet", "wallet address", "erc20", "erc 20", "metamask", "usdc", "usdt", "polygon",
    "matic", "bsc", "arbitrum", "web3", "crypto", "deposit address", "payout address", "recipient address",
    "withdrawal", "withdraw", "donate", "donation",
))  # fmt: skip


# The checksum takes a tenth of a millisecond and more, so that a text of nothing else would hold up others: in a row of
# such addresses none is worked out, and they are taken for what they look like.
_OTHER = compiled("0x[0-9a-fA-F]{16}")


def _is_base58(text: bytes, start: int, end: int) -> float:
    """By the checksum of four bytes, and of what it is the address."""
    if _touches(text, start, end):
        return 0.0
    payload = validators.base58check(text[start:end])
    return 1.0 if payload is not None and len(payload) == _HASH_SIZE and payload[0] in _VERSIONS else 0.0


def _is_segwit(text: bytes, start: int, end: int) -> float:
    return 0.0 if _touches(text, start, end) or not validators.segwit(text[start:end]) else 1.0


def _is_ethereum(text: bytes, start: int, end: int) -> float:
    """In mixed case by the checksum that the case is; in one case there is none, and a word must be near."""
    if _touches(text, start, end):
        return 0.0
    digits = text[start + 2 : end]
    if digits not in {digits.lower(), digits.upper()}:
        if _OTHER.search(text[max(0, start - BEFORE) : start]) or _OTHER.search(text[end : end + AFTER]):
            return 0.8
        return 1.0 if validators.with_eip_55(digits) == digits else 0.0
    if len(set(digits.lower())) < 8:  # noqa: PLR2004
        return 0.0  # the zero address and other made-up ones
    return 0.8 if ETHEREUM_WORDS.near(text, start, end) else 0.0


def _touches(text: bytes, start: int, end: int) -> bool:
    return text[max(0, start - 1) : start].isalnum() or text[end : end + 1].isalnum()


def _base58_example() -> bytes:
    payload = b"\0" + random.randbytes(20)  # noqa: S311
    data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    value, written = int.from_bytes(data, "big"), b""
    while value:
        value, digit = divmod(value, 58)
        written = validators.BASE58[digit : digit + 1] + written
    return b"1" * (len(data) - len(data.lstrip(b"\0"))) + written


def _ethereum_example() -> bytes:
    digits = b""
    while digits in {digits.lower(), digits.upper()}:  # few letters may come out alike, and then there is no checksum
        digits = validators.with_eip_55(random.randbytes(20).hex().encode())  # noqa: S311  (an example that opens nothing)
    return b"0x" + digits


def _segwit_example() -> bytes:
    return validators.segwit_address(b"bc", 0, random.randbytes(20))  # noqa: S311  (an example that opens nothing)


DETECTORS = (
    Detector(
        "crypto_wallet", "crypto_wallet_bitcoin", r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b", rf"\b{_BASE58}\b", _is_base58,
        source="Bitcoin: base58check", example=_base58_example,
    ),
    Detector(
        "crypto_wallet", "crypto_wallet_segwit", r"(?:bc|tb)1[02-9ac-hj-np-z]{11}|(?:BC|TB)1[02-9AC-HJ-NP-Z]{11}",
        _SEGWIT, _is_segwit, source="BIP 173, BIP 350", example=_segwit_example,
    ),
    Detector(
        "crypto_wallet", "crypto_wallet_ethereum", _ETHEREUM, _ETHEREUM, _is_ethereum, before=BEFORE, after=AFTER,
        source="EIP-55", example=_ethereum_example,
    ),
)  # fmt: skip
