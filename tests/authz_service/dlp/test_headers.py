"""Headers → findings, and what they become."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest

from authz_service.dlp.actions import Action, Direction, Rule
from authz_service.dlp.fields import Blocks
from authz_service.dlp.headers import scan_headers, searched
from authz_service.dlp.treatments import Exchange
from authz_service.model import Location
from authz_service.policy.target import Target
from tests.authz_service.dlp.inspecting import ALICE, GITHUB, HIDDEN, KEY, SSN, USUAL, places, terms, treated

SCANNER = USUAL.scanner


def exchange(*rules: Rule) -> Exchange:
    """An exchange under these rules."""
    return terms(*rules).treatments.exchange("GET", "api.example", Target("/", "", "/"), ALICE)


def test_a_value_with_a_finding_is_set_anew_without_it() -> None:
    """The rest of it stays."""
    found = treated(headers={"x-note": f"ssn {SSN}, key {KEY}!", "x-other": "fine"})
    assert list(found.headers.set) == [("x-note", f"ssn {HIDDEN}, key [REDACTED:aws_access_key]!")]
    assert places(found.findings) == [("us_ssn", "header", "x-note"), ("aws_access_key", "header", "x-note")]


def test_repeated_headers_joined_by_a_comma_are_all_redacted() -> None:
    """Envoy shows them as one."""
    found = treated(headers={"x-a": f"{SSN},fine,{SSN}"})
    assert list(found.headers.set) == [("x-a", f"{HIDDEN},fine,{HIDDEN}")]


def test_cookies_and_referers_are_headers_like_others() -> None:
    """Secrets travel there most of all."""
    found = treated(headers={"cookie": f"a=1; k={GITHUB}; b=2", "referer": f"https://x/?k={KEY}"})
    assert dict(found.headers.set) == {
        "cookie": "a=1; k=[REDACTED:github_token]; b=2",
        "referer": "https://x/?k=[REDACTED:aws_access_key]",
    }


def test_percent_encoding_hides_nothing() -> None:
    """Browsers write cookies and addresses so."""
    spaced = quote(SSN.replace("-", " "))
    found = treated(
        headers={"cookie": f"a=%7B%22n%22%3A%22{spaced}%22%7D; b={KEY}", "referer": f"https://x/?n={spaced}"}
    )
    assert dict(found.headers.set) == {
        "cookie": f"a=%7B%22n%22%3A%22{HIDDEN}%22%7D; b=[REDACTED:aws_access_key]",
        "referer": f"https://x/?n={HIDDEN}",
    }


@pytest.mark.parametrize(
    "name", [":path", ":authority", "host", "content-length", "transfer-encoding", "authorization"]
)
def test_what_envoy_does_not_let_change_and_the_gateways_own_are_passed_over(name: str) -> None:
    """The path is scanned for itself, the credential is not forwarded."""
    found = treated(headers={name: SSN})
    assert (list(found.headers.set), list(found.headers.remove), list(found.findings)) == ([], [], [])


def test_a_header_whose_name_holds_a_finding_is_removed() -> None:
    """No other name could be put in its place, and neither finding nor name tells the value."""
    found = treated(headers={f"x-{SSN}": "fine", f"y-{SSN}": KEY, "x-fine": "1"})
    assert list(found.headers.remove) == [f"x-{SSN}", f"y-{SSN}"]
    assert list(found.headers.set) == []
    assert places(found.findings) == [("us_ssn", "header", ""), ("aws_access_key", "header", "")]
    assert [finding.count for finding in found.findings] == [2, 1]


def test_letters_beyond_ascii_stay_in_a_redacted_header() -> None:
    """Only the finding goes."""
    assert list(treated(headers={"x-a": f"é {SSN} 😀"}).headers.set) == [("x-a", f"é {HIDDEN} 😀")]


# Cookies


@pytest.mark.parametrize(
    ("header", "value", "names"),
    [
        ("cookie", f"a=1; k={SSN}; b=2", ["k"]),
        ("cookie", f"{SSN}", [""]),
        ("cookie", f"{SSN}=1", [""]),
        ("cookie", f"{SSN}={KEY}", ["", ""]),
        ("cookie", f"a={SSN};b={SSN}", ["a", "b"]),
        ("cookie", f"a; {SSN}; b=1", [""]),
        ("set-cookie", f"a={SSN}; Path=/; Secure", ["a"]),
        ("set-cookie", f"a=1; Comment={SSN}", ["a"]),
    ],
)
def test_a_cookie_is_told_by_its_name_unless_that_holds_a_finding(header: str, value: str, names: list[str]) -> None:
    found = exchange()
    fields = scan_headers([(header, value)], SCANNER)
    assert fields is not None
    fields.note(found, Direction.REQUEST)
    told = found.notes.findings
    assert [finding.name for finding in told] == names
    assert {finding.location for finding in told} == {Location.COOKIE}


def test_rules_for_cookies_are_not_for_other_headers() -> None:
    by = terms(Rule(Action.REPORT, locations=frozenset({Location.COOKIE})))
    found = treated(headers={"cookie": f"a={SSN}", "x-a": SSN}, by=by)
    assert list(found.headers.set) == [("x-a", HIDDEN)]


# Responses and trailers


def test_all_values_of_a_name_come_along_when_one_is_changed() -> None:
    """The first overwrites what is there, the others are added."""
    headers = [("x-a", "fine"), ("x-b", "1"), ("x-a", f"{SSN}!"), ("x-b", "2")]
    fields, blocks = scan_headers(headers, SCANNER), Blocks()
    assert fields is not None
    changes = fields.treated(exchange(), Direction.RESPONSE, blocks)
    assert list(changes.set) == [("x-a", "fine"), ("x-a", f"{HIDDEN}!")]
    assert blocks.code is None


def test_trailers_are_a_place_of_their_own() -> None:
    """Cookies are nothing special there."""
    rules = Rule(Action.MASK, locations=frozenset({Location.TRAILER}))
    fields = scan_headers([("x-a", SSN), ("set-cookie", f"a={SSN}")], SCANNER, Location.TRAILER)
    assert fields is not None
    changes = fields.treated(exchange(rules), Direction.RESPONSE, Blocks())
    assert list(changes.set) == [("x-a", "***-**-6789"), ("set-cookie", "a=***-**-6789")]


def test_what_blocks_is_noted_and_the_rest_is_told_all_the_same() -> None:
    found, blocks = exchange(Rule(Action.BLOCK, frozenset({"us_ssn"}))), Blocks()
    fields = scan_headers([("x-a", SSN), (f"x-{SSN}", "1"), ("x-b", KEY)], SCANNER)
    assert fields is not None
    fields.treated(found, Direction.RESPONSE, blocks)
    assert blocks.code == "secret_in_response"
    assert [finding.action for finding in found.notes.findings] == ["block", "block", "replace"]


def test_nothing_is_found_where_nothing_is() -> None:
    assert scan_headers([("x-a", "1"), ("x-b", f"{SSN}0")], SCANNER) is None
    assert scan_headers([], SCANNER) is None


# What is not searched


@pytest.mark.parametrize("value", ["192.0.2.1", "192.0.2.1, 10.0.0.1,2001:db8::1", "::1"])
@pytest.mark.parametrize("name", ["x-forwarded-for", "x-real-ip", "x-envoy-external-address"])
def test_addresses_that_proxies_write_are_no_findings(name: str, value: str) -> None:
    """They come with each request."""
    assert searched([(name, value), ("x-a", value)], frozenset()) == [("x-a", value)]


@pytest.mark.parametrize(
    "value", [SSN, f"192.0.2.1, {SSN}", "4111111111111111", "", "192.0.2.1 " * 3, ",".join(["192.0.2.1"] * 22), "1.2"]
)
def test_what_else_stands_where_addresses_are_written_is_searched(value: str) -> None:
    """Whoever writes it there wants it to pass."""
    assert searched([("x-forwarded-for", value)], frozenset()) == [("x-forwarded-for", value)]


def test_many_cookies_with_a_finding_each_take_time_in_proportion() -> None:
    """Of these it took minutes when each asked about all others."""
    begun = time.process_time()
    found = treated(headers={"cookie": "; ".join(f"a{index}={SSN}" for index in range(40_000))})
    assert time.process_time() - begun < 30
    assert found.headers.set[0][1].count(HIDDEN) == 40_000
