"""Words beside a candidate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.context import AFTER, BEFORE, Context, any_of, compiled, key_before, says_nothing

VALUE = "123456789"
SSN = Context(("ssn", "social security number", "né le"))


def near(text: str, context: Context = SSN) -> bool:
    """Whether a word is near the value in a text."""
    data = text.encode()
    start = data.rindex(VALUE.encode())
    answer = context.near(data, start, start + len(VALUE))
    if answer:
        assert compiled(context.hint).search(data) is not None
    return answer


@pytest.mark.parametrize(
    "text",
    [
        f"ssn {VALUE}",
        f"SSN: {VALUE}",
        f"the SSN is {VALUE}",
        f"SSNs: {VALUE}",
        f"ssn2={VALUE}",
        f"customerSsn={VALUE}",
        f"customerSSN={VALUE}",
        f"SSNNumber={VALUE}",
        f"ssn_number={VALUE}",
        f"x-ssn: {VALUE}",
        f"user.ssn = '{VALUE}'",
        f"social security number {VALUE}",
        f"socialSecurityNumber: {VALUE}",
        f"social_security_number: {VALUE}",
        f"SOCIAL-SECURITY-NUMBER {VALUE}",
        f"né le {VALUE}",
        f'"ssn": "{VALUE}"',
        f'"ssn":{VALUE}',
        f'\\"ssn\\": \\"{VALUE}\\"',
        f"{{'ssn' => '{VALUE}'}}",
        f"row['ssn'] = '{VALUE}'",
        f"<ssn>{VALUE}</ssn>",
        f'<ssn kind="full">{VALUE}',
        f"<td>SSN</td><td>{VALUE}</td>",
        f'"ssns": ["111111111", "{VALUE}"]',
        f'{{"type": "ssn", "value": "{VALUE}"}}',
        f'"message": "my ssn is {VALUE}"',
        f"SSN on file: {VALUE}",
        f"SSN (if any): {VALUE}",
        f"ssn\n{VALUE}",
        f"{VALUE} is my ssn",
        f"{VALUE} (SSN)",
        f"{VALUE} (SSN), name: x",
        f"number: {VALUE} (SSN)",
        f"--ssn {VALUE}",
        f'"ssn": "#{VALUE}"',
    ],
)
def test_a_word_is_near_in_prose_and_in_keys(text: str) -> None:
    """However the key is written."""
    assert near(text)


@pytest.mark.parametrize(
    "text",
    [
        VALUE,
        f"lessn {VALUE}",
        f"className={VALUE}",
        f"ssnx {VALUE}",
        f"PASSN {VALUE}",
        f"customerssn={VALUE}",
        f"social insecurity number {VALUE}",
        f'"ssn": "078051120", "order": "{VALUE}"',
        f"ssn=078051120&order={VALUE}",
        f"<ssn>078051120</ssn><order>{VALUE}</order>",
        f"order={VALUE}&ssn=078051120",
        f"/users/{VALUE}?ssn=078051120",
        f"{VALUE}, ssn: 078051120",
        f"{VALUE} ssn: 078051120",
        f'"order": "{VALUE}", "ssn": "078051120"',
        f'"ssn": null, "order": "#{VALUE}"',
        f'"ssn": null, "order": "INV-{VALUE}"',
        f"{VALUE}\nssn",
        f"ssn{' ' * BEFORE}{VALUE}",
        f"{VALUE}{' ' * AFTER}ssn",
        f"[REDACTED:us_ssn] {VALUE}",
        f"ssn [REDACTED:payment_card] {VALUE}",
        f"{VALUE} [REDACTED:us_ssn]",
    ],
)
def test_a_word_that_tells_of_another_value_is_not(text: str) -> None:
    """Nor one that is a part of a longer word, too far away, or a redaction's own."""
    assert not near(text)


@given(st.integers(0, 2 * BEFORE))
def test_the_left_window_ends_where_it_is_said(distance: int) -> None:
    """A word at its edge counts only if what is before it is seen, too."""
    gap = "." * distance
    assert near(f"- ssn{gap}{VALUE}") is (distance + len("-ssn") <= BEFORE)


@given(st.integers(0, 2 * AFTER))
def test_the_right_window_ends_where_it_is_said(distance: int) -> None:
    """Likewise."""
    gap = "." * distance
    assert near(f"{VALUE}{gap}ssn -") is (distance + len("ssn ") <= AFTER)


@given(st.text('sn_-. xS:="', max_size=120), st.text('sn_-. xS:="', max_size=60))
def test_nothing_beyond_the_windows_makes_a_difference(before: str, behind: str) -> None:
    """A stream is held back only so far: what was let go of cannot be asked for."""
    start = len(before)
    whole = (before + VALUE + behind).encode()
    left = max(0, start - BEFORE)
    part = whole[left : start + len(VALUE) + AFTER]
    assert SSN.near(whole, start, start + len(VALUE)) is SSN.near(part, start - left, start - left + len(VALUE))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("my_key=", b"my_key"),
        ('"my key": "', b"my key"),
        ("<Name>", b"Name"),
        ("a=1&b=", b"b"),
        ("- name: ", b"name"),
        ("nothing ", None),
        ("", None),
    ],
)
def test_the_key_of_a_value_is_told(text: str, key: bytes | None) -> None:
    """As it is written, back to where something else begins."""
    assert key_before((text + VALUE).encode(), len(text)) == key


def test_keys_that_could_be_anyones_say_nothing() -> None:
    """All words of it must be of these."""
    assert says_nothing(b"value")
    assert says_nothing(b"Text_Content")
    assert not says_nothing(b"order value")


def test_contexts_can_be_joined() -> None:
    """The words of all."""
    both = any_of([SSN, Context(("itin",))])
    assert near(f"itin {VALUE}", both)
    assert near(f"ssn {VALUE}", both)
