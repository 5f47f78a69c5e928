"""A request → findings, and mutations that take them out, as Envoy applies them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors import ALL
from authz_service.dlp.request import Scan, scan_request
from authz_service.dlp.scan import Scanner
from authz_service.model import Finding, HttpRequest, Location

SSN, KEY = "123-45-6789", "AKIAIOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9
HIDDEN = "[REDACTED:us_ssn]"
SCANNER = Scanner(ALL)


def scan(path: str = "/", headers: Mapping[str, str] | None = None, body: bytes = b"") -> Scan:
    """Scan a request; `authorization` is the gateway's own."""
    request = HttpRequest("GET", path, headers=headers or {}, body=body)
    return scan_request(request, "/", SCANNER, frozenset({"authorization"}))


def places(found: Scan) -> list[tuple[str, str, str]]:
    """Entity, location and name of each finding."""
    return [(finding.entity, finding.location.value, finding.name) for finding in found.findings]


Parameters = dict[str, list[str]]


def split(query: str) -> Parameters:
    """How Envoy reads a query: raw names, each with all of its raw values; a piece without `=` has an empty one."""
    parameters: Parameters = {}
    for piece in query.split("&") if query else []:
        name, _, value = piece.partition("=")
        parameters.setdefault(name, []).append(value)
    return parameters


def forwarded(query: str) -> Parameters:
    """What is left of a query: a set replaces all values of a raw name, then removals take raw names out."""
    found = scan(f"/?{query}")
    parameters = split(query)
    if found.set_query or found.remove_query:
        for name, value in found.set_query:
            parameters[name] = [value]
        for name in found.remove_query:
            parameters.pop(name, None)
    return parameters


def decoded(text: str) -> bytes:
    """How an application reads a name or a value."""
    return unquote_to_bytes(text.replace("+", " "))


# Headers


def test_a_value_with_a_finding_is_set_anew_without_it() -> None:
    """The rest of it stays."""
    found = scan(headers={"x-note": f"ssn {SSN}, key {KEY}!", "x-other": "fine"})
    assert list(found.set_headers) == [("x-note", f"ssn {HIDDEN}, key [REDACTED:aws_access_key]!")]
    assert places(found) == [("us_ssn", "header", "x-note"), ("aws_access_key", "header", "x-note")]


def test_repeated_headers_joined_by_a_comma_are_all_redacted() -> None:
    """Envoy shows them as one."""
    found = scan(headers={"x-a": f"{SSN},fine,{SSN}"})
    assert list(found.set_headers) == [("x-a", f"{HIDDEN},fine,{HIDDEN}")]


def test_cookies_and_referers_are_headers_like_others() -> None:
    """Secrets travel there most of all."""
    found = scan(headers={"cookie": f"a=1; k={GITHUB}; b=2", "referer": f"https://x/?k={KEY}"})
    assert dict(found.set_headers) == {
        "cookie": "a=1; k=[REDACTED:github_token]; b=2",
        "referer": "https://x/?k=[REDACTED:aws_access_key]",
    }


@pytest.mark.parametrize(
    "name", [":path", ":authority", "host", "content-length", "transfer-encoding", "authorization"]
)
def test_what_envoy_does_not_let_change_and_the_gateways_own_are_passed_over(name: str) -> None:
    """The path is scanned for itself, the credential is not forwarded."""
    found = scan(headers={name: SSN})
    assert (list(found.set_headers), list(found.remove_headers), list(found.findings)) == ([], [], [])


def test_a_header_whose_name_holds_a_finding_is_removed() -> None:
    """No other name could be put in its place, and neither finding nor name tells the value."""
    found = scan(headers={f"x-{SSN}": "fine", f"y-{SSN}": KEY, "x-fine": "1"})
    assert list(found.remove_headers) == [f"x-{SSN}", f"y-{SSN}"]
    assert list(found.set_headers) == []
    assert places(found) == [("us_ssn", "header", ""), ("us_ssn", "header", ""), ("aws_access_key", "header", "")]


def test_letters_beyond_ascii_stay_in_a_redacted_header() -> None:
    """Only the finding goes."""
    assert list(scan(headers={"x-a": f"é {SSN} 😀"}).set_headers) == [("x-a", f"é {HIDDEN} 😀")]


# The query


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"q={SSN}", {"q": [HIDDEN]}),
        (f"q=a{SSN}b&z=1", {"q": [f"a{HIDDEN}b"], "z": ["1"]}),
        ("q=123%2D45%2d6789", {"q": [HIDDEN]}),
        ("q=%31%32%33-45-6789", {"q": [HIDDEN]}),
        ("q=123+45+6789", {"q": [HIDDEN]}),
        ("q=123%2045%206789", {"q": [HIDDEN]}),
        (f"q=%ff{SSN}%00", {"q": [f"\udcff{HIDDEN}\x00"]}),
        (f"q=%zz{SSN}%", {"q": [f"%zz{HIDDEN}%"]}),
        (f"q=a=b={SSN}=c", {"q": [f"a=b={HIDDEN}=c"]}),
        (f"q={SSN}&q=fine&q={KEY}", {"q": [f"{HIDDEN},fine,[REDACTED:aws_access_key]"]}),
        (f"q=fine&q={SSN}&z=1", {"q": [f"fine,{HIDDEN}"], "z": ["1"]}),
        (f"={SSN}", {"": [HIDDEN]}),
        (f"{SSN}=v", {HIDDEN: ["v"]}),
        (f"{SSN}={SSN}", {HIDDEN: [HIDDEN]}),
        (SSN, {HIDDEN: [""]}),
        (f"&&{SSN}&&", {HIDDEN: [""], "": ["", "", "", ""]}),
        (f"a&b=&{SSN}", {"a": [""], "b": [""], HIDDEN: [""]}),
        (f"%31{SSN[1:]}=v&{SSN}=w", {HIDDEN: ["v,w"]}),
        (f"{SSN}=v&{quote(HIDDEN, safe='')}=kept", {HIDDEN: ["v,kept"]}),
        (f"a=1&%61={SSN}", {"a": ["1", HIDDEN]}),
        (f"a;b={SSN};c=d", {"a;b": [f"{HIDDEN};c=d"]}),
    ],
)
def test_a_query_is_forwarded_without_its_findings(query: str, expected: dict[str, list[str]]) -> None:
    """Compared as an application reads it."""
    seen: dict[str, list[str]] = {}
    for name, values in forwarded(query).items():
        read = decoded(name).decode("utf-8", "surrogateescape")
        seen.setdefault(read, []).extend(decoded(value).decode("utf-8", "surrogateescape") for value in values)
    assert seen == expected


@pytest.mark.parametrize("query", ["", "a", "a=1&a=2", "&&", "=", "q=%zz%", "q=+%20+", "a=b=c", "%61=1", f"q={SSN}0"])
def test_a_query_without_a_finding_is_not_touched(query: str) -> None:
    """Not even re-encoded."""
    found = scan(f"/?{query}")
    assert (list(found.set_query), list(found.remove_query), list(found.findings)) == ([], [], [])


def test_values_that_are_set_are_percent_encoded() -> None:
    """Envoy writes them as they are: nothing in them may start another parameter."""
    found = scan(f"/?q=%26x%3D1%23{SSN}+%2B")
    ((name, value),) = found.set_query
    assert name == "q"
    assert not set(value) & set("&=#+ ")
    assert parse_qsl(f"q={value}") == [("q", f"&x=1#{HIDDEN} +")]


def test_findings_in_a_query_name_their_parameter_unless_the_name_is_one() -> None:
    """As it is written."""
    found = scan(f"/?%71={SSN}&{KEY}={SSN}")
    assert places(found) == [("us_ssn", "query", "%71"), ("aws_access_key", "query", ""), ("us_ssn", "query", "")]


PIECES = st.sampled_from(
    [SSN, KEY, GITHUB, "123%2D45-6789", "123+45%206789", "%41KIAIOSFODNN7EXAMPLE", "ghp_" + "7" * 255, "a", "q", "=",
     "+", "%", "%2", "%zz", "%26", "%3d", "%2C", "%00", "%ff", "é", "%C3%A9", ";", "#", "?", "1", "-",
     quote(HIDDEN, safe=""), HIDDEN, "AKIA", "123-45-"]
)  # fmt: skip
PARTS = st.lists(PIECES, max_size=5).map("".join)
QUERIES = st.lists(st.tuples(PARTS, PARTS).map("=".join) | PARTS, max_size=6).map("&".join)


@given(QUERIES)
def test_nothing_is_found_in_a_query_once_the_mutations_are_applied(query: str) -> None:
    """In no name and in no value."""
    for name, values in forwarded(query).items():
        assert SCANNER.scan(decoded(name)) == []
        assert [SCANNER.scan(decoded(value)) for value in values] == [[]] * len(values)


@given(QUERIES)
def test_parameters_without_a_finding_come_through_unchanged(query: str) -> None:
    """A name whose values hold none keeps them, and no value is lost."""
    after = forwarded(query)
    for name, values in split(query).items():
        if SCANNER.scan(decoded(name)):
            assert name not in after
            continue
        fine = [value for value in values if not SCANNER.scan(decoded(value))]
        if len(fine) == len(values) and after[name] != values:  # joined by others that were renamed to it
            assert unquote_to_bytes(name) == decoded(quote(unquote_to_bytes(name), safe=""))
            assert HIDDEN.encode()[:10] in decoded(name)
        joined = b",".join(decoded(value) for value in after[name])
        assert all(decoded(value) in joined for value in fine)


@given(QUERIES)
def test_exactly_what_holds_a_finding_is_reported(query: str) -> None:
    """A clean query has no findings, and none goes unsaid."""
    found = scan(f"/?{query}")
    dirty = any(SCANNER.scan(decoded(text)) for name, values in split(query).items() for text in (name, *values))
    assert bool(found.findings) is dirty
    assert bool(found.set_query) is dirty


# Path and body


def test_a_finding_in_the_path_is_reported_and_redacted_for_the_log() -> None:
    """The path itself is not rewritten: it says what is asked for."""
    found = scan(f"/people/{SSN}/notes?q=1")
    assert places(found) == [("us_ssn", "path", "")]
    assert found.path == f"/people/{HIDDEN}/notes"


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
    """However it is escaped."""
    assert scan(path).path == shown


def test_a_body_is_looked_at_for_signs_of_files_only() -> None:
    """What it holds is redacted where bodies pass."""
    found = scan(body=f"see /etc/passwd {SSN}".encode())
    assert found.carries_local_file
    assert list(found.findings) == []
    assert not scan(body=SSN.encode()).carries_local_file


def test_findings_of_all_places_are_told_together() -> None:
    """Headers, query, path."""
    found = scan(f"/{SSN}?q={SSN}", {"x-a": SSN})
    assert list(found.findings) == [
        Finding("us_ssn", "us_ssn_grouped", Location.HEADER, "x-a"),
        Finding("us_ssn", "us_ssn_grouped", Location.QUERY, "q"),
        Finding("us_ssn", "us_ssn_grouped", Location.PATH, ""),
    ]


HEADERS = st.dictionaries(st.sampled_from(["x-a", "cookie", "x-b", f"x-{SSN}", "host"]), PARTS)


@given(HEADERS, PARTS, QUERIES)
def test_no_finding_is_left_in_headers_or_in_the_path_for_the_log(
    headers: dict[str, str], path: str, query: str
) -> None:
    """And no value of one stands in a finding's name."""
    found = scan(f"/{path}?{query}", headers)
    after = {**headers, **dict(found.set_headers)}
    for name in found.remove_headers:
        del after[name]
    for name, value in after.items():
        if name != "host":
            assert SCANNER.scan(name.encode()) == []
            assert SCANNER.scan(value.encode()) == []
        if not SCANNER.scan(headers[name].encode()):
            assert value == headers[name]
    assert SCANNER.scan(found.path.encode()) == []
    assert all(SCANNER.scan(decoded(finding.name)) == [] for finding in found.findings)
