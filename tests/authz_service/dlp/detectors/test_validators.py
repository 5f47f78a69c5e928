"""Check digits, on published examples and on numbers that are made by the letter of each rule."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors import validators
from tests.authz_service.dlp.detectors.finding import another_digit, digits, luhn_digit

NUMBERS = st.integers(2, 30).flatmap(digits)


@given(NUMBERS, st.data())
def test_luhn_holds_for_one_digit_of_ten(body: str, data: st.DataObject) -> None:
    """And a broken check digit is refused."""
    digit = luhn_digit(body)
    assert validators.luhn((body + digit).encode())
    assert not validators.luhn((body + data.draw(another_digit(digit))).encode())


@pytest.mark.parametrize("number", [b"4111111111111111", b"378282246310005", b"79927398713", b"046454286"])
def test_published_numbers_of_luhn_are_right(number: bytes) -> None:
    """Cards of test systems, the example of the patent, a Canadian one."""
    assert validators.luhn(number)


@pytest.mark.parametrize("text", [b"", b"4111 1111", b"a", b"\xb2", b"-1"])
def test_what_is_not_of_digits_is_wrong(text: bytes) -> None:
    """Never an error."""
    assert not validators.luhn(text)
    assert not validators.aba(text)
    assert not validators.npi(text)
    assert not validators.iso_7064_mod_11_10(text)
    assert not validators.mod_97(text + b" ")


@given(
    st.sampled_from(["DE", "GB", "FR", "NL", "MT"]), st.text("0123456789ABCXYZ", min_size=11, max_size=30), st.data()
)
def test_mod_97_holds_for_the_remainder_that_is_left(country: str, account: str, data: st.DataObject) -> None:
    """98 less the remainder, as ISO 7064 computes check digits."""
    number = int("".join(str(int(letter, 36)) for letter in account + country) + "00")
    check = 98 - number % 97
    assert validators.mod_97(f"{country}{check:02}{account}".encode())
    other = data.draw(st.integers(2, 98).filter(lambda wrong: (wrong - check) % 97))
    assert not validators.mod_97(f"{country}{other:02}{account}".encode())


@given(digits(8))
def test_routing_numbers_are_weighted_with_three_seven_and_one(body: str) -> None:
    """The check digit makes the sum a multiple of ten."""
    total = sum(int(digit) * weight for digit, weight in zip(body, [3, 7, 1, 3, 7, 1, 3, 7], strict=True))
    right = -total % 10
    for digit in range(10):
        assert validators.aba(f"{body}{digit}".encode()) is (digit == right)


@given(st.sampled_from("12"), digits(8))
def test_a_provider_identifier_is_checked_behind_its_prefix(first: str, body: str) -> None:
    """80840, which stands for the United States' health applications."""
    right = luhn_digit("80840" + first + body)
    for digit in "0123456789":
        assert validators.npi((first + body + digit).encode()) is (digit == right)
    assert not validators.npi(("3" + body + right).encode())


def test_a_running_product_is_iso_7064s() -> None:
    """The standard's own example is 0794 and 5."""
    assert validators.iso_7064_mod_11_10(b"07945")
    assert not validators.iso_7064_mod_11_10(b"07946")


def _base58(data: bytes) -> bytes:
    """Write bytes so, by repeated division."""
    number, written = int.from_bytes(data, "big"), []
    while number:
        number, digit = divmod(number, 58)
        written.append(validators.BASE58[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return b"1" * zeros + bytes(reversed(written))


@given(st.binary(min_size=1, max_size=40))
def test_base58check_gives_the_payload_back(payload: bytes) -> None:
    """Leading zeros included."""
    checksum = hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    assert validators.base58check(_base58(payload + checksum)) == payload
    assert validators.base58check(_base58(payload + checksum[:3] + bytes([checksum[3] ^ 1]))) is None


@pytest.mark.parametrize("text", [b"", b"0", b"O", b"1", b"1111", b" ", b"I" * 30])
def test_what_is_not_base58check_is_none(text: bytes) -> None:
    """Never an error."""
    assert validators.base58check(text) is None


@pytest.mark.parametrize(
    "address",
    [
        b"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        b"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
        b"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        b"BC1SW50QGDZ25J",
        b"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    ],
)
def test_the_addresses_of_the_two_proposals_are_right(address: bytes) -> None:
    """BIP 173 and BIP 350 give them."""
    assert validators.segwit(address)


@pytest.mark.parametrize(
    "address",
    [
        b"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",  # the checksum is another's
        b"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",  # bech32 where bech32m is due
        b"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",  # both cases
        b"bc1gmk9yu",
        b"bc1rw5uspcuh",
        b"bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du",
        b"",
        b"1",
        b"bc1",
    ],
)
def test_the_wrong_addresses_of_the_two_proposals_are_refused(address: bytes) -> None:
    """For their length, their case, their checksum."""
    assert not validators.segwit(address)


@given(st.integers(0, 16), st.binary(min_size=2, max_size=40))
def test_an_address_that_is_written_is_right_exactly_if_its_program_is(version: int, program: bytes) -> None:
    """Version 0 has programs of 20 and of 32 bytes only."""
    address = validators.segwit_address(b"bc", version, program)
    assert validators.segwit(address) is (version > 0 or len(program) in {20, 32})
    assert not validators.segwit(address[:-1] + (b"q" if address[-1:] != b"q" else b"p"))


@pytest.mark.parametrize(
    "digits",
    [
        b"5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        b"fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        b"dbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        b"D1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_the_case_of_an_ethereum_address_is_its_checksum(digits: bytes) -> None:
    """The examples of EIP-55."""
    assert validators.with_eip_55(digits.lower()) == digits
    assert validators.with_eip_55(digits.upper()) == digits


def test_digits_are_taken_out_in_order() -> None:
    """And nothing else."""
    assert validators.digits_of("a1-2\u0663 3".encode()) == b"123"
