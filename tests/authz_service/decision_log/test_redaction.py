"""No credential and no finding stays in an event, wherever it stands and however it is written."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.decision_log.redaction import CREDENTIAL, MAX_DEPTH, MAX_PLACES, TOO_DEEP, Redaction
from tests.authz_service.decision_log.records import SCANNER, SSN

KEY = "AKIAIOSFODNN7EXAMPLE"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"


def cleaned(value: Any) -> tuple[Any, list[str]]:
    redaction = Redaction(SCANNER)
    return redaction.clean(value, "input"), redaction.places


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "Authorization",
        "DPoP",
        "cookie",
        "Set-Cookie",
        "proxy-authorization",
        "access_token",
        "rawValue",
    ],
)
@pytest.mark.parametrize("value", ["Bearer x", ["a=b", "c=d"], {"nested": "s3cret"}, 5, None])
def test_what_stands_under_the_name_of_a_credential_goes(name: str, value: Any) -> None:
    """Of whatever kind it is."""
    assert cleaned({"headers": {name: value, "accept": "*/*"}}) == (
        {"headers": {name: CREDENTIAL, "accept": "*/*"}},
        [f"/input/headers/{name}"],
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"Bearer {TOKEN}", f"Bearer {CREDENTIAL}"),
        ("dpop abcdefghijklmnopqrstuvwxyz==", f"dpop {CREDENTIAL}"),
        ("Basic dXNlcjpwYXNzd29yZA==", f"Basic {CREDENTIAL}"),
        (f"x {TOKEN} y", f"x {CREDENTIAL} y"),
        ("/reports?a=1&access_token=s3cret&b=2", f"/reports?a=1&access_token={CREDENTIAL}&b=2"),
        ("/reports?%61ccess_token=s3cret", f"/reports?access_token={CREDENTIAL}"),
        ("https://x.example/?ID_TOKEN=s3cret", f"https://x.example/?ID_TOKEN={CREDENTIAL}"),
    ],
)
def test_a_credential_within_a_text_goes(text: str, left: str) -> None:
    assert cleaned(text) == (left, ["/input"])


@pytest.mark.parametrize("text", ["", "Bearer token is missing", "eyJ", "a+b%20c", "100 %", "%zz", "\ud800", "zoë"])
def test_what_is_no_secret_stays_as_it_is_written(text: str) -> None:
    assert cleaned([text, {text: 1}]) == ([text, {text: 1}], [])


@pytest.mark.parametrize(
    "written",
    [
        SSN,
        quote(SSN, safe="").replace("-", "%2D"),
        quote_plus(SSN.replace("-", "%2D")),
        SSN.replace("-", "%25252D"),
        f"zoë {SSN}",
        "\ud800" + SSN,
    ],
)
def test_a_finding_goes_however_often_it_is_encoded(written: str) -> None:
    value, places = cleaned({"a": [{"b": f"x={written}"}], written: 1})
    assert "6789" not in json.dumps(value)
    assert "[REDACTED:us_ssn]" in json.dumps(value)
    assert places[0] == "/input/a/0/b"


def test_a_place_is_told_without_what_was_found_in_its_name() -> None:
    _, places = cleaned({f"x-{SSN}": SSN})
    assert places == ["/input/x-%5BREDACTED:us_ssn%5D", "/input/x-%5BREDACTED:us_ssn%5D"]


def test_no_more_places_are_told_than_an_event_should_hold() -> None:
    value, places = cleaned([SSN] * (MAX_PLACES + 50))
    assert value == ["[REDACTED:us_ssn]"] * (MAX_PLACES + 50)
    assert len(places) == MAX_PLACES


def test_what_is_too_deep_is_left_out() -> None:
    value: Any = SSN
    for _ in range(MAX_DEPTH + 100):
        value = [value]
    found, _ = cleaned(value)
    assert TOO_DEEP in json.dumps(found)
    assert SSN not in json.dumps(found)


def test_a_number_that_json_does_not_have_is_none() -> None:
    assert cleaned([float("nan"), float("inf"), 1.5]) == ([None, None, 1.5], [])


secrets = st.sampled_from([SSN, KEY, f"Bearer {TOKEN}", f"access_token={KEY}"])
texts = st.text(max_size=10)
values = st.recursive(
    st.none()
    | st.integers()
    | texts
    | st.builds(lambda before, secret, after: f"{before} {secret} {after}", texts, secrets, texts),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(texts | secrets, below, max_size=3),
    max_leaves=10,
)


@given(values)
def test_no_secret_is_left_in_any_value(value: Any) -> None:
    """And what is left is a value that JSON has."""
    shown = json.dumps(cleaned(value))
    assert KEY not in shown
    assert SSN not in shown
    assert TOKEN not in shown
