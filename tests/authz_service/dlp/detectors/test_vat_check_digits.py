"""Check digits of VAT numbers."""

from __future__ import annotations

import pytest

from authz_service.dlp.detectors.vat_check_digits import CHECKS

# Numbers of companies as they stand in their imprints and in the tax offices' own examples.
RIGHT = (
    "ATU13585627", "BE0428759497", "BE0403019261", "BG175074752", "BG7523169263", "CY10259033P", "CZ25123891",
    "CZ7103192745", "DE136695976", "DK13585628", "EE100931558", "EL040127797", "EL094259216", "ESB58378431",
    "ES54362315K", "ESX2482300W", "ESX5253868R", "ESJ99216582", "FI20774740", "FR40303265045", "FR23334175221",
    "FRK7399859412", "HR33392005961", "HU12892312", "IE6433435F", "IE6433435OA", "IE8D79739I", "IT00743110157",
    "LT119511515", "LT100001919017", "LU15027442", "LV40003521600", "LV16117519997", "MT11679112", "NL004495445B01",
    "NL123456789B13", "PL8567346215", "PT501964843", "RO18547290", "SE123456789701", "SI50223054", "SK2022749619",
    "XI980780684",
)  # fmt: skip


def test_every_member_state_and_northern_ireland_has_a_rule() -> None:
    """Greece is EL; Great Britain left."""
    assert len(CHECKS) == 28
    assert {number[:2].encode() for number in RIGHT} == set(CHECKS)


@pytest.mark.parametrize("number", RIGHT)
def test_a_published_number_is_right(number: str) -> None:
    """And most that differ in one digit are wrong: rules with letters may let one through."""
    check = CHECKS[number[:2].encode()]
    assert check(number[2:].encode())
    places = [place for place in range(3, len(number)) if number[place].isdigit()]
    changed = [number[2:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :] for place in places]
    right = [text for text in changed if check(text.encode())]
    assert len(right) <= len(changed) / 3
