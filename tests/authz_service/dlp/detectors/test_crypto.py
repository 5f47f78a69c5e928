"""Addresses of wallets. Nobody has the keys to those that are drawn here."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.crypto import DETECTORS
from authz_service.dlp.detectors.validators import BASE58, segwit_address, with_eip_55
from tests.authz_service.dlp.detectors.finding import SURROUNDINGS, Finder

found = Finder(DETECTORS)


@st.composite
def base58_addresses(draw: st.DrawFn) -> str:
    """Draw an address of a public key's or a script's hash."""
    payload = draw(st.sampled_from([b"\0", b"\5"])) + draw(st.binary(min_size=20, max_size=20))
    data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, written = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        written = chr(BASE58[digit]) + written
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + written


SEGWIT = st.tuples(st.sampled_from([(0, 20), (0, 32), (1, 32)]), st.binary(min_size=32, max_size=32)).map(
    lambda drawn: segwit_address(b"bc", drawn[0][0], drawn[1][: drawn[0][1]]).decode()
)


@given(st.one_of(base58_addresses(), SEGWIT, SEGWIT.map(str.upper)), SURROUNDINGS)
def test_a_bitcoin_address_is_found_at_any_place(address: str, around: tuple[str, str]) -> None:
    """In each of its forms."""
    assert found(around[0] + address + around[1]) == [address]


@given(st.one_of(base58_addresses(), SEGWIT), st.integers(2, 30), st.sampled_from("qzry8gfhjkmn"))
def test_a_bitcoin_address_with_a_broken_letter_is_refused(address: str, place: int, letter: str) -> None:
    """By its checksum."""
    place = min(place, len(address) - 1)
    if address[place] != letter:
        assert found(address[:place] + letter + address[place + 1 :]) == []


def test_in_a_row_of_ethereum_addresses_no_checksum_is_worked_out() -> None:
    """A text of nothing else would take a second for each 150 KB. One that stands alone is held to its checksum."""
    wrong = ["0x" + digits * 5 for digits in ("aB3dE5f7", "Ab4De6F8")]
    assert found(f"of {wrong[0]} alone") == []
    assert found(f"{wrong[0]}, {wrong[1]}")[:1] == wrong[:1]


@given(st.binary(min_size=20, max_size=20), SURROUNDINGS)
def test_an_ethereum_address_is_found_by_its_case_or_a_word(data: bytes, around: tuple[str, str]) -> None:
    """In one case there is no checksum."""
    mixed = "0x" + with_eip_55(data.hex().encode()).decode()
    plain = mixed.lower()
    if mixed != plain and len(set(plain)) > 9 and any(letter.islower() for letter in mixed[2:]):
        assert found(around[0] + mixed + around[1]) == [mixed]
        assert found(around[0] + mixed[:2] + mixed[2:].swapcase() + around[1]) == []
        assert found(around[0] + plain + around[1]) == []
        assert found(f"wallet: {plain}") == [plain]
        assert found(f'{{"ethAddress": "{plain}"}}') == [plain]


@pytest.mark.parametrize(
    "text",
    ["0x" + "0" * 40, "wallet 0x" + "0" * 40, "eth 0x" + "ab" * 20, "eth tx 0x" + "1a2b3c4d5e6f7089" * 4, "1" * 30,
     "bc1qqqqqqqqqqqqq", "3" + "a" * 33, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "x1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
     "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4x", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", ""],
)  # fmt: skip
def test_what_only_looks_like_an_address_is_not_found(text: str) -> None:
    """Zeros, hashes of transactions, broken checksums, longer words."""
    assert found(text) == []


def test_the_first_address_of_all_is_found() -> None:
    """Satoshi's."""
    assert found("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa") == ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]


def test_an_address_in_small_letters_is_found_beside_words_of_payment() -> None:
    """It has no checksum then."""
    address = "0x340a8b31db25b684b35fdda5dbf8a7bba3054ef4"
    assert found(f"withdrawal of 0.25 to {address}") == [address]
    assert found(f"object {address}") == []
