"""A request → findings, and mutations that take them out."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.actions import Action, Direction, Overrides, Rule
from authz_service.dlp.request import NOTHING_DONE, apply, redact_path
from authz_service.model import Finding, Location
from tests.authz_service.dlp.inspecting import (
    HIDDEN,
    KEY,
    PARTS,
    QUERIES,
    SSN,
    USUAL,
    decoded,
    places,
    scanned,
    terms,
    treated,
)

SCANNER = USUAL.scanner


# Path


def test_what_may_not_stay_in_the_path_does_not_pass() -> None:
    """The path is not rewritten: it says what is asked for."""
    found = scanned(f"/people/{SSN}/notes?q=1")
    assert places(found.findings) == [("us_ssn", "path", "")]
    assert found.path == f"/people/{HIDDEN}/notes"
    assert apply(found, Overrides()).blocked == "secret_in_path"


def test_what_would_grow_beyond_what_servers_take_does_not_pass() -> None:
    """A replacement can be longer than what it replaces."""
    assert apply(scanned(f"/x?q={'+'.join([SSN] * 600)}"), Overrides()).blocked is None
    assert apply(scanned(f"/x?q={'+'.join([SSN] * 1_400)}"), Overrides()).blocked == "redacted_too_long"


@pytest.mark.parametrize("action", Action)
def test_a_path_passes_where_the_rule_lets_the_finding_stay(action: Action) -> None:
    """All else means that it should not arrive."""
    found = treated(f"/people/{SSN}", by=terms(Rule(action, locations=frozenset({Location.PATH}))))
    expected = None if action.passes else "secret_in_request" if action is Action.BLOCK else "secret_in_path"
    assert found.blocked == expected
    assert [finding.action for finding in found.findings] == [action]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/a%20b", "/a%20b"),
        ("/%31%32%33-45-6789", f"/{HIDDEN}"),
        (f"/%ff{SSN}", f"/\ufffd{HIDDEN}"),
        (f"/{SSN}{KEY}", f"/{HIDDEN}[REDACTED:aws_access_key]"),
        ("/x?secret=1", "/x"),
        (f"/{SSN[:4]}?{SSN[4:]}", f"/{SSN[:4]}"),
        ("", ""),
    ],
)
def test_the_path_for_the_log_holds_no_query_and_no_finding(path: str, shown: str) -> None:
    """However it is escaped, and whatever may pass."""
    assert scanned(path, by=terms(Rule(Action.ALLOW))).path == shown
    assert redact_path(path.partition("?")[0], SCANNER) == shown


# All of it


def test_a_request_without_findings_has_nothing_done_to_it() -> None:
    found = scanned("/a%20b?c=%64", {"x-a": "1", "authorization": SSN, "host": SSN}, b"nothing")
    assert (found.findings, found.fields) == ((), None)
    assert apply(found, Overrides({"*": Action.BLOCK})) is NOTHING_DONE


def test_findings_of_all_places_are_told_together() -> None:
    """With what the configuration does about them; alike ones as one."""
    by = terms(Rule(Action.MASK, locations=frozenset({Location.HEADER})), Rule(Action.REPORT))
    found = scanned(f"/{SSN}?q={SSN}", {"x-a": f"{SSN} {SSN}", "cookie": f"c={SSN}"}, f"b {SSN}".encode(), by=by)
    hashed = found.findings[0].hash
    assert list(found.findings) == [
        Finding("us_ssn", "us_ssn_grouped", Location.HEADER, "x-a", "mask", 1.0, 0, hashed, 2),
        Finding("us_ssn", "us_ssn_grouped", Location.COOKIE, "c", "report", 1.0, 2, hashed),
        Finding("us_ssn", "us_ssn_grouped", Location.QUERY, "q", "report", 1.0, 0, hashed),
        Finding("us_ssn", "us_ssn_grouped", Location.PATH, "", "report", 1.0, 1, hashed),
        Finding("us_ssn", "us_ssn_grouped", Location.BODY, "", "report", 1.0, 2, hashed),
    ]
    assert len(hashed) == 16


def test_the_body_is_searched_only_for_whoever_wants_to_know() -> None:
    """It is told of signs of files at any rate."""
    found = scanned(body=f"see /etc/passwd {SSN}".encode())
    assert found.carries_local_file
    assert places(found.findings) == [("us_ssn", "body", "")]
    assert apply(found, Overrides()).blocked is None  # it is rewritten elsewhere
    assert apply(found, Overrides({"us_ssn": Action.BLOCK})).blocked == "secret_in_request"


def test_the_policy_says_what_becomes_of_findings_that_it_has_seen() -> None:
    found = scanned(f"/x?q={SSN}", {"x-a": f"{SSN} {KEY}"})
    done = apply(found, Overrides({"us_ssn": Action.ALLOW, "*": Action.REMOVE}, {"us_ssn": Action.BLOCK}))
    assert list(done.headers.set) == [("x-a", f"{SSN} ")]
    assert list(done.query.set) == []
    assert [(finding.entity, finding.action) for finding in done.findings] == [
        ("us_ssn", "allow"),
        ("aws_access_key", "remove"),
        ("us_ssn", "allow"),
    ]
    assert {finding.action for finding in found.findings} == {"replace"}


def test_a_final_rule_stands_against_the_policy() -> None:
    found = scanned(headers={"x-a": SSN}, by=terms(Rule(Action.BLOCK, frozenset({"us_ssn"}), final=True)))
    assert apply(found, Overrides({"us_ssn": Action.ALLOW})).blocked == "secret_in_request"


def test_a_token_of_a_response_is_read_again_in_the_next_request_of_the_same_caller() -> None:
    """And is no finding; one that is nobody's stays as it is."""
    by = terms(Rule(Action.TOKENIZE))
    exchange = scanned(headers={"x-a": SSN}, by=by).fields
    assert exchange is not None
    tokens = exchange.exchange.redactions.tokens
    assert tokens is not None
    assert exchange.exchange.caller is not None
    token = (tokens.seal("us_ssn", SSN.encode(), exchange.exchange.caller, Direction.RESPONSE) or b"").decode()
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    found = treated(f"/x?q={token}", {"x-a": f"no. {token}", "x-b": forged}, by=by)
    assert list(found.headers.set) == [("x-a", f"no. {SSN}")]
    assert list(found.query.set) == [("q", SSN)]
    assert (found.findings, found.blocked) == ((), None)


HEADERS = st.dictionaries(st.sampled_from(["x-a", "cookie", "x-b", f"x-{SSN}", "host"]), PARTS)


@given(HEADERS, PARTS, QUERIES)
def test_no_finding_is_left_in_headers_or_in_the_path_for_the_log(
    headers: dict[str, str], path: str, query: str
) -> None:
    """And no value of one stands in a finding's name."""
    found = scanned(f"/{path}?{query}", headers)
    done = apply(found, Overrides())
    after = {**headers, **dict(done.headers.set)}
    for name in done.headers.remove:
        del after[name]
    for name, value in after.items():
        if name != "host":
            assert SCANNER.scan(name.encode()) == []
            assert SCANNER.scan(value.encode()) == []
        if not SCANNER.scan(headers[name].encode()) and not SCANNER.scan(unquote_to_bytes(headers[name])):
            assert value == headers[name]
    assert SCANNER.scan(found.path.encode()) == []
    assert all(SCANNER.scan(decoded(finding.name)) == [] for finding in found.findings)
    assert len(done.findings) == len(found.findings)
