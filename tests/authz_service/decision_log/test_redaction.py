"""No credential and no finding stays in an event, wherever it stands and however it is written."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.decision_log.redaction import (
    CREDENTIAL,
    MAX_DECODINGS,
    MAX_DEPTH,
    MAX_PLACES,
    MAX_TEXT_BYTES,
    QUERY_NAMES,
    TOO_DEEP,
    TOO_ENCODED,
    TOO_LONG,
    Redaction,
)
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
        ("/reports?%61ccess_token=s3cret", f"/reports?%61ccess_token={CREDENTIAL}"),
        ("/cb?%2561ccess_token=my%20s3cret%26s3cret&b=2", f"/cb?%2561ccess_token={CREDENTIAL}&b=2"),
        ("/cb?next=/cb?token=s3cret?s3cret=s3cret", f"/cb?next=/cb?token={CREDENTIAL}"),
        ("/cb?next=%2Fcb%3Fpassword%3Ds3cret%2526s3cret", f"/cb?next=/cb?password={CREDENTIAL}"),
        (f"-{TOKEN}.x.y-z", f"-{CREDENTIAL}"),
        (f"a.b{TOKEN}", f"a.b{CREDENTIAL}"),
        (f"{TOKEN[:10]}.{TOKEN}", f"{TOKEN[:10]}.{CREDENTIAL}"),
        ("https://x.example/?ID_TOKEN=s3cret", f"https://x.example/?ID_TOKEN={CREDENTIAL}"),
    ],
)
def test_a_credential_within_a_text_goes(text: str, left: str) -> None:
    assert cleaned(text) == (left, ["/input"])


@pytest.mark.parametrize("name", sorted(QUERY_NAMES))
def test_every_name_of_a_credential_is_known_in_members_paths_and_queries(name: str) -> None:
    """As it is written and as it reads decoded."""
    encoded = "".join(f"%{octet:02x}" for octet in name.encode())
    document = {
        "parsed_query": {name.upper(): ["s3cret"]},
        "path": f"/cb?a=1&{name}=s3cret&b=2",
        "referer": f"https://x.example/?{encoded}=s3cret",
    }
    found, places = cleaned(document)
    assert found["parsed_query"] == {name.upper(): CREDENTIAL}
    assert found["path"] == f"/cb?a=1&{name}={CREDENTIAL}&b=2"
    assert "s3cret" not in found["referer"]
    assert len(places) == 3
    shown, _ = cleaned({name: "s3cret"})
    assert shown == ({name: "s3cret"} if name == "code" else {name: CREDENTIAL})


@pytest.mark.parametrize("name", ["x-auth-token", "api-key", "private-token", "x-goog-api-key", "x-vault-token"])
def test_headers_in_which_others_send_their_keys_are_credentials(name: str) -> None:
    assert cleaned({name: "opaque"}) == ({name: CREDENTIAL}, [f"/input/{name}"])


@pytest.mark.parametrize(
    "text", ["-eyJaaaaaaaa", "eyJaaaaaaaa-", "bearer ", "token", "%2525", "a=", "=a&", "eyJ.", "ey"]
)
def test_no_text_takes_more_time_than_its_length_is_worth(text: str) -> None:
    """A text that is looked at anew from each of its signs would take minutes here."""
    hostile = text * ((MAX_TEXT_BYTES - 4) // len(text)) + "%25"
    begun = time.process_time()
    for _ in range(20):
        cleaned(hostile)
    assert time.process_time() - begun < 5


def test_a_text_that_is_too_long_goes_whole() -> None:
    """Cut, it could end in half a secret."""
    assert cleaned(["x" * MAX_TEXT_BYTES, "x" * (MAX_TEXT_BYTES + 1)]) == (
        ["x" * MAX_TEXT_BYTES, TOO_LONG],
        ["/input/1"],
    )


def encoded(text: str, times: int) -> str:
    """Percent-encode every octet, and what comes of it again."""
    for _ in range(times):
        text = "".join(f"%{octet:02x}" for octet in text.encode()) if "%" not in text else text.replace("%", "%25")
    return text


@pytest.mark.parametrize("times", range(MAX_DECODINGS + 3))
def test_what_is_found_at_one_level_hides_nothing_at_another(times: int) -> None:
    """A decoy that is seen first must not end the search."""
    for decoy in ("4111 client_secret=x&", f"{KEY} ", f"Bearer {TOKEN} ", f"{SSN} "):
        for secret in ("523-45-6789", f"password={KEY}", f"token=a{KEY[1:]}"):
            text = f"/a?{decoy}b={encoded(secret, times)}"
            found, _ = cleaned(text)
            for _ in range(MAX_DECODINGS + 3):
                assert secret.removeprefix("password=").removeprefix("token=") not in found
                found = unquote_plus(found)


def test_a_text_that_is_encoded_without_end_goes_whole() -> None:
    assert cleaned(encoded("harmless", MAX_DECODINGS + 1)) == (TOO_ENCODED, ["/input"])
    assert cleaned(encoded("harmless", MAX_DECODINGS)) == (encoded("harmless", MAX_DECODINGS), [])


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
