"""Phone numbers. Those of North America are of the hundred that are kept for fiction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.phones import DETECTORS
from tests.authz_service.dlp.detectors.finding import SURROUNDINGS, Finder, digits

found = Finder(DETECTORS)

AREAS = st.sampled_from(["202", "212", "305", "415", "617", "808", "987"])
INTERNATIONAL = ["+44 20 7946 0018", "+44 (0)20 7946 0018", "+442079460018", "+49 30 1234567", "+49 (0)30/1234567",
                 "+49-170-1234567", "+33 1 23 45 67 89", "+33.1.23.45.67.89", "+31 20 123 4567", "+91 98765 43210",
                 "+81 3-1234-5678", "+86 138 1234 5678", "+55 11 91234-5678", "+61 2 9876 5432", "+353 1 234 5678",
                 "+7 912 345-67-89", "+971 50 123 4567", "+27 21 123 4567", "+1 202-555-0123", "+1 (202) 555-0123",
                 "+12025550123", "+1.202.555.0123", "+1-202-555-0123", "+65 6123 4567"]  # fmt: skip


@given(st.sampled_from(INTERNATIONAL), SURROUNDINGS)
def test_an_international_number_is_found_at_any_place(number: str, around: tuple[str, str]) -> None:
    """In the writings of its country."""
    assert found(around[0] + number + around[1]) == [number]


@given(AREAS, digits(2), SURROUNDINGS)
def test_a_north_american_number_is_found_at_any_place(area: str, last: str, around: tuple[str, str]) -> None:
    """With its area in brackets, with hyphens or dots, with the 1 before it."""
    for number in (f"({area}) 555-01{last}", f"({area})555-01{last}", f"{area}-555-01{last}", f"{area}.555.01{last}",
                   f"1-{area}-555-01{last}", f"1 ({area}) 555-01{last}"):  # fmt: skip
        assert found(around[0] + number + around[1]) == [number]


@given(AREAS, digits(2), st.sampled_from(["phone: ", '"phoneNumber": "', "tel=", "call me at ", "Mobile ", "fax:"]))
def test_bare_digits_are_found_beside_a_word(area: str, last: str, word: str) -> None:
    """And are nothing without."""
    for number in (f"{area}55501{last}", f"1{area}55501{last}", f"{area} 555 01{last}", f"{area} 555-01{last}"):
        assert found(f"{word}{number}") == [number]
    assert found(f"{area}55501{last}") == []
    assert found(f"{area} 555 01{last}") == []


@pytest.mark.parametrize(
    "number",
    ["020 7946 0018", "(020) 7946 0018", "030 1234567", "030/1234567", "06 12 34 56 78", "0049 30 1234567",
     "07700 900123", "98765 43210", "442079460018"],
)  # fmt: skip
def test_numbers_of_other_countries_are_found_beside_a_word(number: str) -> None:
    """As they are dialled there."""
    assert found(f"phone: {number}") == [number]
    assert found(f'{{"mobile": "{number}", "n": 1}}') == [number]
    assert found(f"lot {number}") == []


def test_an_extension_is_not_a_part_of_the_number() -> None:
    """Nor does it hide it."""
    assert found("(202) 555-0123x45") == ["(202) 555-0123"]
    assert found("202-555-0123 ext. 45") == ["202-555-0123"]
    assert found("tel:+1-202-555-0123;ext=45") == ["+1-202-555-0123"]


@pytest.mark.parametrize(
    "text",
    ["1732600000", "1732600000000", "created 1732600000", "2026-11-26T08:10:02+0100", "2026-11-26 08:10:02 +0000",
     "100-555-0123", "202-155-0123", "911-555-0123", "202-911-0123", "(100) 555-0123", "1202-555-0123",
     "202-555-01234", "3-202-555-0123", "202-555-0123-4", "A202-555-0123", "d41d8cd98f00b204e9800998ecf8427e",
     "+1 100 555 0123", "+1202555012", "+999 123 456 789", "+0 123 456 7890", "12+12025550123", "x+4420794600180",
     "1.202.555.01234", "202555.0123", "550e8400-e29b-41d4-a716-446655440000", "192.168.100.200", "978-3-16-148410-0",
     "114-1234567-1234567", ""],
)  # fmt: skip
def test_times_orders_and_hashes_are_no_numbers(text: str) -> None:
    """Nor what no plan has."""
    assert found(text) == []


@pytest.mark.parametrize(
    "text",
    ["phone_updated_at: 1732600000", '"phone_id": 2025550123', "phone: 2026-11-26", "tel: 26.11.2026",
     "phone: 10.20.30.40", "phoneVerifiedAt=1732600000000", "phone_order: 2025550123", "phone: 0000000000",
     "call me at 14:30", "phone: 12345", "fax: d41d8cd98f00b204", '"phone": null, "id": 2025550123', "mobile 1.2.3"],
)  # fmt: skip
def test_what_stands_beside_a_word_can_be_something_else(text: str) -> None:
    """Times, identifiers, addresses of machines."""
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["Mon numéro : {}, merci", "mi número es {}", "Sie erreichen uns unter {}.", "unter {} erreichbar"]
)
def test_a_number_is_found_where_people_say_that_it_is_theirs(text: str) -> None:
    """In other languages than English too."""
    assert found(text.format("06 26 79 74 96")) == ["06 26 79 74 96"]
