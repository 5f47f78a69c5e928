"""Numbers that governments give to people. All are drawn, or examples of those who give them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.government_ids import DETECTORS
from tests.authz_service.dlp.detectors.finding import SURROUNDINGS, Finder, another_digit, digits, luhn_digit

found = Finder(DETECTORS, "us_ssn")
taxpayers = Finder(DETECTORS, "us_itin")
american_passports = Finder(DETECTORS, "us_passport")
british_passports = Finder(DETECTORS, "uk_passport")
insured = Finder(DETECTORS, "uk_nino")
canadians = Finder(DETECTORS, "ca_sin")
providers = Finder(DETECTORS, "us_npi")


@pytest.mark.parametrize(
    "number",
    [
        "123-45-6789",
        "123 45 6789",
        "123.45.6789",
        "123\u201345\u20136789",
        "123\u00a045\u00a06789",
        "123\u221245\t6789",
        "001-01-0001",
        "665-99-9999",
        "667-01-0001",
        "899-99-9999",
    ],
)
def test_a_grouped_number_is_found(number: str) -> None:
    """Alone and in a sentence."""
    for text in (number, f"ssn={number}.", f"a{number}b", f"\u2028{number}", f"é{number}é", f"({number})"):
        assert found(text) == [number]


@pytest.mark.parametrize(
    "text",
    ["000-12-3456", "666-12-3456", "900-12-3456", "999-12-3456", "123-00-4567", "123-45-0000", "123456789",
     "123-456789", "123-45-678", "12-345-6789", "0123-45-6789", "123-45-67890", "123_45_6789", "123--45-6789",
     "123-4-56789", "abc-de-fghi", "१२३-४५-६७८९", ""],
)  # fmt: skip
def test_what_was_never_given_out_or_is_grouped_otherwise_is_not(text: str) -> None:
    """The Social Security Administration's rules; there is no check digit."""
    assert found(text) == []


def test_a_true_number_inside_a_refused_candidate_is_found() -> None:
    """The search goes on one character further, not behind the candidate."""
    assert found("999-123-45-6789") == ["123-45-6789"]
    assert found("000-12-3456 123-45-6789") == ["123-45-6789"]
    assert found("123-45-6789,987-65-4321,234 56 7890") == ["123-45-6789", "234 56 7890"]


@given(st.integers(0, 999), st.integers(0, 99), st.integers(0, 9999), st.sampled_from("- "))
def test_exactly_the_numbers_that_can_exist_are_found(area: int, group: int, serial: int, separator: str) -> None:
    """Area 000, 666 and 9xx, group 00 and serial 0000 do not."""
    number = f"{area:03}{separator}{group:02}{separator}{serial:04}"
    exists = area not in {0, 666} and area < 900 and group != 0 and serial != 0
    assert found(number) == ([number] if exists else [])


@given(digits(9), SURROUNDINGS)
def test_nine_bare_digits_need_a_word(number: str, around: tuple[str, str]) -> None:
    """And are judged by the same rules."""
    area, group, serial = int(number[:3]), int(number[3:5]), int(number[5:])
    exists = area not in {0, 666} and area < 900 and group != 0 and serial != 0
    assert found(around[0] + number + around[1]) == []
    assert found(f"{around[0]} SSN: {number}{around[1]}") == ([number] if exists else [])


@pytest.mark.parametrize(
    "text",
    ["social security number 123456789", '{"ssn": "123456789"}', '{"ssn": 123456789}', "customerSsn=123456789",
     "taxpayer_id: 123456789", "my social is 123456789", "123456789 (SSN)", "SS# 123456789", "TIN 123456789"],
)  # fmt: skip
def test_the_word_can_be_in_a_key_or_in_prose(text: str) -> None:
    """Before or behind."""
    assert found(text) == ["123456789"]


@pytest.mark.parametrize(
    "text",
    ["order 123456789", '{"ssn": null, "order": 123456789}', "ssn 1234567890", "ssn 12345678", "ssn x123456789",
     "ssn 1.123456789", "setting 123456789", "lessn 123456789", "ssn_hash=a123456789b"],
)  # fmt: skip
def test_bare_digits_without_a_word_of_their_own_are_not_found(text: str) -> None:
    """Nor those of another length, or of something longer."""
    assert found(text) == []


@given(digits(2), st.integers(0, 99), digits(4), st.sampled_from("- ."), SURROUNDINGS)
def test_a_grouped_taxpayer_number_is_found_at_any_place(
    area: str, group: int, serial: str, separator: str, around: tuple[str, str]
) -> None:
    """Groups 50 to 65, 70 to 88, 90 to 92 and 94 to 99 are given out."""
    number = f"9{area}{separator}{group:02}{separator}{serial}"
    exists = group in {*range(50, 66), *range(70, 89), 90, 91, 92, *range(94, 100)}
    assert taxpayers(around[0] + number + around[1]) == ([number] if exists else [])
    bare = number.replace(separator, "")
    assert taxpayers(around[0] + bare + around[1]) == []
    assert taxpayers(f"ITIN {bare}") == ([bare] if exists else [])


@given(digits(9), SURROUNDINGS)
def test_a_passport_needs_a_word_and_a_country(number: str, around: tuple[str, str]) -> None:
    """Without a country it counts as American; only the word tells at all."""
    text = f"{around[0]} passport number {number}{around[1]}"
    assert american_passports(text) == [number]
    assert british_passports(text) == []
    text = f"{around[0]} British passport {number}{around[1]}"
    assert american_passports(text) == []
    assert british_passports(text) == [number]
    assert american_passports(around[0] + number + around[1]) == []


@pytest.mark.parametrize("text", ["US passport: 123456789", '"passportNumber": "A12345678"', "passport_no=X12345678"])
def test_american_passports_are_of_nine_digits_or_a_letter_and_eight(text: str) -> None:
    """The newer ones begin with a letter."""
    assert len(american_passports(text)) == 1


@pytest.mark.parametrize("text", ["passport AB1234567", "passport 12345678", "passport office 1234567890", "A12345678"])
def test_other_passports_are_not_american(text: str) -> None:
    """Nor is any number without the word."""
    assert american_passports(text) == []
    assert british_passports(text) == []


@given(
    st.sampled_from(["AB", "CE", "JG", "PR", "SZ", "TW", "YY", "ZA"]), digits(6), st.sampled_from("ABCD"), SURROUNDINGS
)
def test_a_national_insurance_number_is_found_at_any_place(
    prefix: str, number: str, suffix: str, around: tuple[str, str]
) -> None:
    """Compact and in pairs."""
    compact = prefix + number + suffix
    pairs = " ".join([prefix, number[:2], number[2:4], number[4:], suffix])
    assert insured(around[0] + compact + around[1]) == [compact]
    assert insured(around[0] + pairs + around[1]) == [pairs]
    assert insured(pairs.replace(" ", "-")) == [pairs.replace(" ", "-")]


@pytest.mark.parametrize(
    "text",
    ["QQ123456C", "GB123456A", "DA123456A", "AO123456A", "ZZ123456A", "AB123456E", "AB12345C", "AB1234567C",
     "XAB123456C", "AB123456CD", "ab123456c", "1AB123456C", "TN123456B"],
)  # fmt: skip
def test_letters_that_are_never_given_out_make_no_insurance_number(text: str) -> None:
    """HM Revenue & Customs names them."""
    assert insured(text) == []


@given(st.sampled_from("0123456789"), digits(7), st.sampled_from(["", " ", "-"]), st.data())
def test_a_canadian_number_needs_a_word_and_its_check_digit(
    first: str, body: str, separator: str, data: st.DataObject
) -> None:
    """Grouped too. Those that begin with 8 are companies'."""
    digit = luhn_digit(first + body)
    number = first + body + digit
    written = separator.join([number[:3], number[3:6], number[6:]])
    exists = first != "8" and number != "000000000"
    assert canadians(f"SIN: {written}") == ([written] if exists else [])
    assert canadians(f"numéro d'assurance sociale {written}") == ([written] if exists else [])
    assert canadians(f"part no. {written}") == []
    broken = written[:-1] + data.draw(another_digit(digit))
    assert canadians(f"SIN: {broken}") == []


@given(st.sampled_from("12"), digits(8), st.data())
def test_a_provider_identifier_needs_a_word_and_its_check_digit(first: str, body: str, data: st.DataObject) -> None:
    """Luhn with 80840 before it."""
    digit = luhn_digit("80840" + first + body)
    number = first + body + digit
    assert providers(f'{{"npi": "{number}"}}') == [number]
    assert providers(f"National Provider Identifier {number}") == [number]
    assert providers(f"created {number}") == []
    assert providers(f"NPI {number[:-1]}{data.draw(another_digit(digit))}") == []


@pytest.mark.parametrize("path", ["M76.9 219-09-9999z", "h10,219-09-9999l4 2", "L8 911-70-1234v2"])
def test_numbers_of_a_drawing_are_nobodys(path: str) -> None:
    """In a path of SVG a number stands before, and the letter of a command touches the end."""
    assert [*found(path), *taxpayers(path)] == []


@pytest.mark.parametrize("text", ["ssn219-09-9999", "no. 219-09-9999x", "1 219-09-9999", "1 219-09-9999. The"])
def test_one_that_a_letter_touches_is_still_found_elsewhere(text: str) -> None:
    """Nobody hides a number with a letter."""
    assert found(text) == ["219-09-9999"]


@pytest.mark.parametrize("text", ["Mi número de seguro social es {}.", "número de la seguridad social: {}"])
def test_nine_digits_are_found_beside_spanish_words(text: str) -> None:
    """Forty million Americans speak it at home."""
    assert found(text.format("219099999")) == ["219099999"]


@pytest.mark.parametrize("by", [" ", "-", "."])
def test_a_passport_and_a_sin_are_found_in_groups_of_three(by: str) -> None:
    """As people copy them from a document."""
    number = by.join(("046", "454", "286"))
    assert british_passports(f"UK passport {number}") == [number]
    assert american_passports(f"passport no. {number}") == [number]
    assert canadians(f"SIN {number}") == [number]
    assert [*british_passports(number), *american_passports(number), *canadians(number)] == []


@pytest.mark.parametrize("written", ["ab 12 34 56 c", "ab123456c", "ab-12-34-56-c"])
def test_a_national_insurance_number_is_found_in_small_letters_behind_its_name(written: str) -> None:
    """Without the name it could be anything."""
    assert insured(f"NI number: {written}") == [written]
    assert insured(f"my national insurance number is {written}") == [written]
    assert insured(f"build {written}") == []
