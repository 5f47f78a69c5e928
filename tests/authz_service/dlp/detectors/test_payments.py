"""Payment cards, IBANs and routing numbers. None of these numbers is anybody's."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz_service.dlp.detectors.payments import DETECTORS
from tests.authz_service.dlp.detectors.finding import SURROUNDINGS, Finder, another_digit, digits, luhn_digit

cards = Finder(DETECTORS, "payment_card")
ibans = Finder(DETECTORS, "iban")
routing_numbers = Finder(DETECTORS, "us_routing_number")

# Prefix and length, as each scheme gives cards out.
SCHEMES = [
    ("4", 13), ("4", 16), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("2500", 16), ("34", 15),
    ("37", 15), ("300", 14), ("305", 14), ("36", 14), ("38", 14), ("6011", 16), ("644", 16), ("649", 16), ("65", 16),
    ("622126", 16), ("3528", 16), ("3589", 16), ("62", 16), ("62", 17), ("62", 18), ("62", 19), ("6304", 13),
    ("6759", 16), ("5018", 19), ("6763", 18),
]  # fmt: skip


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Draw a right number of any scheme."""
    prefix, length = draw(st.sampled_from(SCHEMES))
    body = prefix + draw(digits(length - 1 - len(prefix)))
    return body + luhn_digit(body)


def grouped(number: str, separator: str) -> str:
    """Write it as it stands on the card."""
    if len(number) in {16, 19}:
        groups = [number[place : place + 4] for place in range(0, len(number), 4)]
    elif number[0] == "3":
        groups = [number[:4], number[4:10], number[10:]]
    else:
        groups = [number]
    return separator.join(groups)


@given(numbers(), st.sampled_from(["", " ", "-"]), SURROUNDINGS)
def test_a_card_is_found_at_any_place(number: str, separator: str, around: tuple[str, str]) -> None:
    """Compact and in groups."""
    written = grouped(number, separator)
    assert cards(around[0] + written + around[1]) == [written]


@given(numbers(), st.sampled_from(["", " ", "-"]), st.data())
def test_a_card_with_a_broken_check_digit_is_refused(number: str, separator: str, data: st.DataObject) -> None:
    """In every writing. Shorter numbers inside of it are parts of it."""
    broken = number[:-1] + data.draw(another_digit(number[-1]))
    written = grouped(broken, separator)
    assert written not in cards(written)
    assume(len(number) != 19)  # sixteen of nineteen in groups may be right by themselves
    assert cards(written) == []


@pytest.mark.parametrize(
    "text",
    ["4111 1111 1111 1111 123 12/27", "4111 1111 1111 1111 1227", "exp 2027 4111 1111 1111 1111",
     "card_4111111111111111", "1. 4111111111111111.", "id-4111111111111111", "cc=4111111111111111;x=1",
     "4111111111111111,4111111111111111"],
)  # fmt: skip
def test_a_card_is_found_beside_what_belongs_to_it(text: str) -> None:
    """Its code, its month, its name."""
    assert cards(text)
    assert all(value.replace(" ", "") == "4111111111111111" for value in cards(text))


@pytest.mark.parametrize(
    "text",
    ["41111111111111110", "04111111111111111", "a4111111111111111", "4111111111111111e", "0x4111111111111111",
     "3.4111111111111111", "4111111111111111.5", "4111-1111 1111-1111", "4111.1111.1111.1111", "411111111111",
     "1234 4111 1111 1111 1111", "4111 1111 1111 1111 9999", "2026 1234 4111 1111 1111 1111",
     "1985 4111 1111 1111 1111 0972 0671", "9111111111111111", "1732600000000", "1732600000000000",
     "5732600000000000000", "12344111-1111-1111-1111-111111111111", "4111-1111-1111", "0000000000000000",
     "356938035643809", "5c41111111111111111d", ""],
)  # fmt: skip
def test_what_is_a_part_of_something_longer_is_no_card(text: str) -> None:
    """Nor what no scheme gives out."""
    assert cards(text) == []


COUNTRIES = [
    ("NO", 15), ("BE", 16), ("DK", 18), ("NL", 18), ("SI", 19), ("AT", 20), ("XK", 20), ("CH", 21), ("DE", 22),
    ("GB", 22), ("IL", 23), ("ES", 24), ("PT", 25), ("TR", 26), ("FR", 27), ("IT", 27), ("PL", 28), ("BR", 29),
    ("UA", 29), ("KW", 30), ("MT", 31), ("LC", 32), ("RU", 33),
]  # fmt: skip


@st.composite
def accounts(draw: st.DrawFn) -> str:
    """Draw a right IBAN: 98 less the remainder."""
    country, length = draw(st.sampled_from(COUNTRIES))
    account = draw(st.text("0123456789ABCXYZ", min_size=length - 4, max_size=length - 4))
    check = 98 - int("".join(str(int(letter, 36)) for letter in account + country) + "00") % 97
    return f"{country}{check:02}{account}"


@given(accounts(), st.sampled_from(["", " ", "-"]), SURROUNDINGS)
def test_an_iban_is_found_at_any_place(iban: str, separator: str, around: tuple[str, str]) -> None:
    """Compact and in groups of four."""
    written = separator.join(iban[place : place + 4] for place in range(0, len(iban), 4))
    assert ibans(around[0] + written + around[1]) == [written]


@given(accounts(), st.data())
def test_an_iban_with_a_broken_digit_is_refused(iban: str, data: st.DataObject) -> None:
    """MOD 97-10 finds every single error."""
    place = data.draw(st.sampled_from([place for place in range(2, len(iban)) if iban[place].isdigit()]))
    broken = iban[:place] + data.draw(another_digit(iban[place])) + iban[place + 1 :]
    assert ibans(broken) == []


@pytest.mark.parametrize(
    "text",
    ["GB82WEST1234569876543", "GB82WEST123456987654321", "xGB82WEST12345698765432", "ZZ82WEST12345698765432",
     "gb82west12345698765432", "GB82 WEST", "DE00", "DE89  3704 0044 0532 0130 00", ""],
)  # fmt: skip
def test_what_has_another_length_or_country_is_no_iban(text: str) -> None:
    """Nor lower-case letters, in which identifiers are written."""
    assert ibans(text) == []


def test_an_iban_ends_where_its_country_says() -> None:
    """Not with what stands behind it."""
    assert ibans("IBAN: GB82 WEST 1234 5698 7654 32 BIC WESTGB22") == ["GB82 WEST 1234 5698 7654 32"]
    assert ibans("DE89 3704 0044 0532 0130 00 1") == ["DE89 3704 0044 0532 0130 00"]


@pytest.mark.parametrize("number", ["021000021", "011401533", "322271627", "061000104"])
def test_a_routing_number_needs_a_word(number: str) -> None:
    """Its check digit lets one of ten through."""
    assert routing_numbers(f"routing number {number}") == [number]
    assert routing_numbers(f'{{"aba": "{number}"}}') == [number]
    assert routing_numbers(f"bankRoutingNo={number}") == [number]
    assert routing_numbers(number) == []
    assert routing_numbers(f"order {number}") == []


@given(
    st.sampled_from(["00", "12", "21", "32", "61", "72", "80", "13", "20", "33", "60", "73", "79", "81", "99"]),
    digits(6),
)
def test_exactly_the_districts_of_the_federal_reserve_have_routing_numbers(district: str, body: str) -> None:
    """And one check digit of ten is right."""
    assume(district + body != "00000000")
    total = sum(int(digit) * weight for digit, weight in zip(district + body, [3, 7, 1, 3, 7, 1, 3, 7], strict=True))
    number = f"{district}{body}{-total % 10}"
    exists = district in {"00", "12", "21", "32", "61", "72", "80"}
    assert routing_numbers(f"ABA {number}") == ([number] if exists else [])
    assert routing_numbers(f"ABA {number[:-1]}{(int(number[-1]) + 1) % 10}") == []


@pytest.mark.parametrize("body", ["220044681283901", "979239656457306", "817248263312675"])
def test_cards_of_mir_troy_and_rupay_are_found(body: str) -> None:
    """Russia's, Turkey's and India's own schemes."""
    number = body + luhn_digit(body)
    assert cards(f"pan {number}") == [number]


def test_a_card_of_eighteen_digits_is_found_in_groups() -> None:
    """Four fours and a two, as Maestro's may be."""
    body = "63040841369111470"
    number = body + luhn_digit(body)
    written = " ".join(number[at : at + 4] for at in range(0, 18, 4))
    assert cards(f"card {written}.") == [written]


def _old_visa() -> str:
    body = "401365476586"
    return body + luhn_digit(body)


@pytest.mark.parametrize("before", ['"ean": "', "EAN ", "gtin=", "barcode: "])
def test_a_bar_code_that_is_called_one_is_no_card(before: str) -> None:
    """Of those that begin with 4, Germany's and Japan's, one in ten is a card of thirteen digits by chance."""
    assert cards(before + _old_visa()) == []


@pytest.mark.parametrize("before", ['"card": "', "ocean ", "", '"ean": "4013", "card": "'])
def test_thirteen_digits_are_a_card_where_they_are_called_no_bar_code(before: str) -> None:
    """The word must stand just before the number, and whole."""
    assert cards(before + _old_visa()) == [_old_visa()]


def test_groups_that_an_iban_with_wrong_check_digits_ends_with_are_no_card() -> None:
    """Four of its groups may look like one."""
    body = "532745541282980"
    number = body + luhn_digit(body)
    written = " ".join(number[at : at + 4] for at in range(0, 16, 4))
    assert cards(f"voucher DE48 {written} 12") == []
    assert cards(f"room AB12 {written}, thanks") == [written]


@pytest.mark.parametrize("before", ["IBAN: ", '"payeeIban":"', "Bitte überweisen Sie auf ", "sur le compte "])
def test_an_iban_in_small_letters_is_found_beside_words_that_call_it_an_account(before: str) -> None:
    """People type it so; without such a word it could be any identifier."""
    for written in ("gb82west12345698765432", "gb82 west 1234 5698 7654 32"):
        assert ibans(before + written) == [written]
        assert ibans(before + written.replace("82", "83")) == []
        assert ibans("build " + written) == []


@pytest.mark.parametrize("written", ["0110-0001-5", "011000015"])
def test_a_routing_number_is_found_as_the_directories_print_it(written: str) -> None:
    """With hyphens before the bank and the check digit."""
    assert routing_numbers(f"routing number {written}") == [written]
    assert routing_numbers(f"part number {written}") == []
