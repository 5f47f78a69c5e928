"""When keys are fetched again, and what an issuer's answer may change of that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.identity.freshness import LONGEST_REFRESH, MAX_HEADER, SHORTEST_REFRESH, Freshness, lifetime
from authz_service.settings.identity import KeyTimes

USUAL = Freshness.of(KeyTimes())


def test_keys_are_usable_until_their_age_is_reached() -> None:
    assert USUAL.is_usable(86_399.9)
    assert not USUAL.is_usable(86_400)


@pytest.mark.parametrize(
    ("said", "expected"),
    [(None, 300.0), (300.0, 300.0), (0.0, SHORTEST_REFRESH), (120.0, 120.0), (1800.0, 1800.0), (1e9, LONGEST_REFRESH)],
)
def test_an_issuer_may_shorten_or_lengthen_the_refresh_within_bounds(said: float | None, expected: float) -> None:
    assert USUAL.refresh_after(said) == expected


@pytest.mark.parametrize(
    ("refresh", "said", "expected"), [(20.0, 0.0, 20.0), (20.0, 30.0, 30.0), (7200.0, 1e9, 7200.0)]
)
def test_a_configuration_beyond_the_bounds_moves_them(refresh: float, said: float, expected: float) -> None:
    """Who wants it sooner or later than they allow has said so."""
    assert Freshness(refresh, 86_400.0).refresh_after(said) == expected


@given(st.integers(10, 86_400), st.integers(0, 10**10) | st.none(), st.integers(0, 10**7))
def test_keys_are_always_fetched_again_while_they_are_still_usable(refresh: int, said: int | None, more: int) -> None:
    terms = Freshness(float(refresh), float(2 * refresh + more))
    after = terms.refresh_after(said)
    assert min(SHORTEST_REFRESH, refresh) <= after <= terms.usable_seconds / 2


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("public", None),
        ("max-age=60", 60.0),
        ("Max-Age=60", 60.0),
        ('max-age="60"', 60.0),
        ("public, max-age=21600, must-revalidate, no-transform", 21600.0),
        ("s-maxage=5, max-age=60", 60.0),
        ("max-age=60, max-age=30", 30.0),
        ("max-age=60,", 60.0),
        ("no-store", 0.0),
        ('no-cache="set-cookie", max-age=60', 0.0),
        ('x="a, max-age=1", max-age=60', 60.0),
        ("max-age", None),
        ("max-age=", None),
        ("max-age=-1", None),
        ("max-age=1.5", None),
        ("max-age=six", None),
        ("max-age=99999999999", None),
        ("max-age=\u0666", None),
        ("max-age=60; public", None),
        ("max-age=60, " + "x" * MAX_HEADER, None),
    ],
)
def test_the_lifetime_of_an_answer_is_read_as_http_has_it(header: str | None, expected: float | None) -> None:
    """What is unclear says nothing."""
    assert lifetime(header, None) == expected


@pytest.mark.parametrize(("age", "expected"), [(None, 60.0), ("20", 40.0), ("90", 0.0), ("-5", 60.0), ("x", 60.0)])
def test_what_an_answer_spent_in_caches_is_taken_off(age: str | None, expected: float) -> None:
    assert lifetime("max-age=60", age) == expected


@given(st.text(max_size=200) | st.text('max-age=,0123456789" ;', max_size=200), st.text(max_size=12))
def test_no_header_can_raise_anything(header: str, age: str) -> None:
    found = lifetime(header, age)
    assert found is None or found >= 0
