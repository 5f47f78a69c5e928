"""Words of headers that stand for others."""

from __future__ import annotations

import base64
import time
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.actions import Action, Rule
from authz_service.dlp.encoded_words import read, reworded
from authz_service.dlp.reading import scan_text
from tests.authz_service.dlp.inspecting import GITHUB, HIDDEN, KEY, SSN, USUAL, places, terms, treated

SCANNER = USUAL.scanner
SSN_B = base64.b64encode(SSN.encode()).decode()


def as_read(value: str) -> str:
    """How a mail reader shows it."""
    return str(make_header(decode_header(value)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=?utf-8?Q?123=2D45=2D6789?=", HIDDEN),
        ("=?UTF-8?q?=31=32=33-45-6789?=", HIDDEN),
        ("=?iso-8859-1*en?Q?Gr=FC=DFe_123=2D45-6789?=", f"Grüße {HIDDEN}"),
        (f"=?us-ascii?B?{SSN_B}?=", HIDDEN),
        ("=?utf-16?B?" + base64.b64encode(SSN.encode("utf-16")).decode() + "?=", HIDDEN),
        ("=?utf-7?Q?+ADEAMgAz-=2D45=2D6789?=", HIDDEN),
        ("=?x-unknown?Q?123=2D45=2D6789?=", HIDDEN),
        ("=?utf-8?Q?123=2D4?= =?utf-8?Q?5=2D6789?=", HIDDEN),
        ("=?utf-8?Q?123=2D4?=\t =?iso-8859-1?B?NS02Nzg5?=", HIDDEN),
        ("no. =?utf-8?Q?123=2D45=2D6789?= of Anna", f"no. {HIDDEN} of Anna"),
    ],
)
def test_a_number_in_words_goes_and_what_is_around_it_stays(value: str, expected: str) -> None:
    """As they read before and after."""
    found = treated(headers={"subject": value})
    assert places(found.findings) == [("us_ssn", "header", "subject")]
    ((_, written),) = found.headers.set
    assert as_read(written) == expected
    assert written.isascii()
    assert all(len(word) <= 75 for word in written.split(" "))


def test_words_within_quotes_stay_there() -> None:
    """Readers take them there too, though they should not."""
    found = treated(headers={"content-disposition": 'attachment; filename="=?utf-8?Q?=22123=2D45=2D6789.pdf?="'})
    ((_, written),) = found.headers.set
    assert read(written.encode()).decode() == f'attachment; filename=""{HIDDEN}.pdf"'
    assert written.count('"') == 2


def test_its_value_is_what_the_word_stands_for() -> None:
    """So that hashes are alike however it is written."""
    by = terms(Rule(Action.HASH))
    found = treated(headers={"x-a": "=?utf-8?Q?123=2D45=2D6789?=", "x-b": SSN}, by=by)
    assert found.findings[0].hash == found.findings[1].hash
    assert as_read(found.headers.set[0][1]) == found.headers.set[1][1]


def test_a_value_may_stand_in_a_word_and_beside_it() -> None:
    found = treated(headers={"x-a": "a 123-45=?utf-8?Q?=2D6789_b?="})
    ((_, written),) = found.headers.set
    assert as_read(written) == f"a {HIDDEN} b"


def test_words_tell_what_a_number_beside_them_is() -> None:
    """And the header's name what one in them is."""
    assert not treated(headers={"x-a": "078051121"}).findings
    for headers in ({"x-a": "=?utf-8?Q?social=5Fsecurity?= 219099998"}, {"x-ssn": "=?utf-8?Q?2190999=398?="}):
        ((_, written),) = treated(headers=headers).headers.set
        assert "9998" not in as_read(written)


def test_what_stands_in_a_word_as_it_is_goes_too() -> None:
    """For readers to whom it is no word: the underscore of this one reads as a space in it."""
    found = treated(headers={"x-a": f"=?utf-8?Q?{GITHUB}?="})
    assert list(found.headers.set) == [("x-a", "=?utf-8?Q?[REDACTED:github_token]?=")]
    both = treated(headers={"x-a": f"=?utf-8?Q?{GITHUB}_123=2D45=2D6789?="})
    assert {finding.entity for finding in both.findings} == {"us_ssn", "github_token"}
    ((_, written),) = both.headers.set
    assert GITHUB not in written
    assert SSN not in as_read(written)


def test_what_blocks_in_a_word_as_it_stands_blocks() -> None:
    """Whatever else is found in it."""
    by = terms(Rule(Action.BLOCK, frozenset({"github_token"})))
    assert treated(headers={"x-a": f"=?utf-8?Q?{GITHUB}_123=2D45=2D6789?="}, by=by).blocked == "secret_in_request"
    by = terms(Rule(Action.BLOCK, frozenset({"us_ssn"})))
    assert treated(headers={"x-a": "=?utf-8?Q?123=2D45=2D6789?="}, by=by).blocked == "secret_in_request"


def test_words_in_which_all_is_let_pass_stay_as_they_are() -> None:
    by = terms(Rule(Action.REPORT))
    found = treated(headers={"x-a": "=?utf-8?Q?123=2D45=2D6789?="}, by=by)
    assert places(found.findings) == [("us_ssn", "header", "x-a")]
    assert not found.headers.set


def test_a_value_of_mcp_is_written_as_mcp_writes_it() -> None:
    """Plain, where a header can hold it so; and told by the header's name, as a plain one is."""
    value = base64.b64encode(b"219099998").decode()
    assert list(treated(headers={"mcp-param-ssn": f"=?base64?{value}?="}).headers.set) == [("mcp-param-ssn", HIDDEN)]
    value = base64.b64encode(f"größe {SSN}".encode()).decode()
    ((_, written),) = treated(headers={"mcp-param-a": f"=?base64?{value}?="}).headers.set
    assert written == f"=?base64?{base64.b64encode(f'größe {HIDDEN}'.encode()).decode()}?="


@pytest.mark.parametrize(
    "value", ["=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "=?utf-8?B?R3LDvMOfZQ==?=", "a=?b?c", "=?utf-8?X?abc?=", "=?", "=?a?b??="]
)
def test_ordinary_words_pass(value: str) -> None:
    assert treated(headers={"subject": value}).headers.set == ()


PIECES = st.sampled_from(
    ["=?utf-8?Q?", "=?utf-8?B?", "=?iso-8859-1?q?", "=?base64?", "=?utf-16?B?", "?=", "?= ", "=?", "?", "=", "_", " ",
     "123=2D45=2D6789", SSN, SSN_B, "123=2D", "45=2D6789", "123-45-", KEY, GITHUB, "MTIzLTQ1", "YQ", "a", "é", "%2D",
     base64.b64encode(f"a number: {SSN}, so.".encode()).decode()]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_goes_on_is_clean_for_every_reader(value: str) -> None:
    """To one that knows of words, and to one that does not."""
    found = treated(headers={"x-a": value})
    for _, written in found.headers.set:
        assert scan_text(read(b"x-a: " + written.encode()), SCANNER) == []
        assert scan_text(b"x-a: " + written.encode(), SCANNER) == []
    if not found.headers.set:
        assert scan_text(read(b"x-a: " + value.encode()), SCANNER) == []


@given(st.lists(PIECES, max_size=12).map("".join).map(str.encode))
def test_places_are_in_order_and_apart(value: bytes) -> None:
    beside, words = reworded(b"x-a: ", value, SCANNER)
    extents = [(each.start, each.end) for each in beside] + [(each.start, each.end) for each in words]
    ends = [place for extent in sorted(extents) for place in extent]
    assert ends == sorted(ends)
    for each in words:
        assert all(0 <= span.start < span.end <= len(each.text) for span in each.spans)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_words_are_valid_and_read_as_what_was_written(text: str) -> None:
    (_, (words,)) = reworded(b"", b"=?utf-8?Q?123=2D45=2D6789?=", SCANNER)
    written = words.write(text.encode()).decode()
    assert all(len(word) <= 75 for word in written.split(" "))
    assert read(written.encode()).decode() == text


def test_many_words_take_time_in_proportion() -> None:
    begun = time.process_time()
    treated(headers={"x-a": "=?a?Q?" * 20_000})
    treated(headers={"x-a": "=?utf-8?Q?123=2D45=2D6789?= a " * 3_000})
    treated(headers={"x-a": "=?utf-8?Q?1?= " * 10_000})
    assert time.process_time() - begun < 30
