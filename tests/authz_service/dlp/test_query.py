"""A query → findings, and mutations that take them out, as Envoy applies them."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote_to_bytes

import pytest
from hypothesis import given

from authz_service.dlp.actions import Action, Rule
from authz_service.dlp.query import scan_query
from authz_service.model import Location
from tests.authz_service.dlp.inspecting import (
    HIDDEN,
    KEY,
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
    found = treated(f"/?{query}").query
    parameters = split(query)
    if found.set or found.remove:
        for name, value in found.set:
            parameters[name] = [value]
        for name in found.remove:
            parameters.pop(name, None)
    return parameters


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
    found = treated(f"/?{query}")
    assert (list(found.query.set), list(found.query.remove), list(found.findings)) == ([], [], [])


def test_values_that_are_set_are_percent_encoded() -> None:
    """Envoy writes them as they are: nothing in them may start another parameter."""
    found = treated(f"/?q=%26x%3D1%23{SSN}+%2B")
    ((name, value),) = found.query.set
    assert name == "q"
    assert not set(value) & set("&=#+ ")
    assert parse_qsl(f"q={value}") == [("q", f"&x=1#{HIDDEN} +")]


def test_findings_in_a_query_name_their_parameter_unless_the_name_is_one() -> None:
    """As it is written."""
    found = scanned(f"/?%71={SSN}&{KEY}={SSN}")
    assert places(found.findings) == [
        ("us_ssn", "query", "%71"),
        ("aws_access_key", "query", ""),
        ("us_ssn", "query", ""),
    ]


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
    found = treated(f"/?{query}")
    dirty = any(SCANNER.scan(decoded(text)) for name, values in split(query).items() for text in (name, *values))
    assert bool(found.findings) is dirty
    assert bool(found.query.set) is dirty


def test_a_value_is_searched_together_with_its_name() -> None:
    """Which tells what it is; the name stays."""
    fields = scan_query(f"a={SSN}", SCANNER)
    assert fields is not None
    (parameter,) = fields.parameters
    assert parameter.of_name is None
    assert parameter.of_value is not None
    assert parameter.of_value.text == SSN.encode()


def test_a_parameter_that_may_stay_is_not_written_anew() -> None:
    """Not even in part: others of its name come through as they are."""
    by = terms(Rule(Action.REPORT, locations=frozenset({Location.QUERY})))
    found = treated(f"/?q=%31{SSN[1:]}&q=b&{SSN}=1", by=by)
    assert (list(found.query.set), list(found.query.remove)) == ([], [])
    assert [(finding.action, finding.count) for finding in found.findings] == [("report", 1), ("report", 1)]


def test_what_is_removed_leaves_an_empty_value() -> None:
    by = terms(Rule(Action.REMOVE))
    assert list(treated(f"/?q=a{SSN}b&r={SSN}", by=by).query.set) == [("q", "ab"), ("r", "")]
