"""Base64 in short texts."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.encoded import runs, suspects, suspects_runs
from tests.authz_service.dlp.inspecting import HIDDEN, KEY, SSN, USUAL, treated

SCANNER = USUAL.scanner
SECRET = f"x:{SSN}".encode()


def encoded(text: bytes, *, url_safe: bool = False, padded: bool = True) -> str:
    written = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(text).decode()
    return written if padded else written.rstrip("=")


@pytest.mark.parametrize(
    "around",
    ["{}", "=?base64?{}?=", "=?utf-8?B?{}?=", "a={}; b=2", "x {},y", '"{}"', "data:;base64,{}"],
)
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("url_safe", [True, False])
def test_a_header_is_written_as_it_was_without_what_stood_in_its_base64(
    around: str, *, padded: bool, url_safe: bool
) -> None:
    """However it is said to be base64, or not said at all."""
    secret, clean = (
        f"the number: {SSN} \N{LATIN SMALL LETTER Y WITH DIAERESIS}?>a".encode(),
        f"the number: {HIDDEN} \N{LATIN SMALL LETTER Y WITH DIAERESIS}?>a".encode(),
    )
    value = around.format(encoded(secret, url_safe=url_safe, padded=padded))
    found = treated(headers={"x-a": value})
    assert [(each.entity, each.name) for each in found.findings] == [("us_ssn", "x-a")]
    ((_, written),) = found.headers.set
    begin, _, end = around.partition("{}")
    assert written.startswith(begin)
    assert written.endswith(end)
    run = written.removeprefix(begin).removesuffix(end)
    if begin.startswith("=?"):  # written anew, and so that every reader takes it
        padded, url_safe = True, False
    assert run == encoded(clean, url_safe=url_safe, padded=padded)
    assert base64.b64decode(run.replace("-", "+").replace("_", "/") + "=" * (-len(run) % 4)) == clean


def test_a_short_run_is_read_by_its_shape_or_where_it_is_said_to_be_base64() -> None:
    """Elsewhere only one of 24 characters leads to a search; all are read then."""
    short, shorter, long = (
        encoded(SSN.encode()),
        encoded("é".encode() + KEY[:4].encode()),
        encoded(b"a longer text: " + SECRET),
    )
    assert (len(short), len(shorter)) == (16, 8)
    assert suspects_runs(short.encode(), SCANNER)
    assert len(treated(headers={"x-a": short}).findings) == 1
    assert len(treated(headers={"x-a": f"{short} {long}"}).findings) == 1
    assert treated(headers={"x-a": f"{short} {long}"}).findings[0].count == 2


@pytest.mark.parametrize("before", ["a/", "/static/", "v1/ab/", "abc", "x-"])
def test_a_run_behind_a_path_is_read_from_its_own_beginning(before: str) -> None:
    """Slashes are of the alphabet too."""
    for text in (SSN, f"my number is {SSN}, and no other"):
        ((_, written),) = treated(headers={"x-a": before + encoded(text.encode())}).headers.set
        assert written.startswith(before)
        assert base64.b64decode(written.removeprefix(before)).decode() == text.replace(SSN, HIDDEN)


def test_runs_that_are_glued_together_are_all_read() -> None:
    """What is put in the first leaves the second where it can be read."""
    written = encoded(f"a: {SSN}".encode(), padded=False) + encoded(f"my key is {KEY}".encode())
    ((_, value),) = treated(headers={"x-a": written}).headers.set
    assert list(runs(value.encode(), (), SCANNER)) == []
    assert value.endswith(encoded(b"my key is [REDACTED:aws_access_key]"))


@pytest.mark.parametrize("scheme", ["Basic", "bAsIc"])
def test_nothing_of_it_is_left_behind_a_scheme_that_is_base64(scheme: str) -> None:
    """Whether a detector takes the credential as it stands, or what stands in it."""
    written = encoded(f"the number: {SSN}".encode())
    ((_, value),) = treated(headers={"x-a": f"{scheme} {written}"}).headers.set
    assert written not in value
    assert not suspects_runs(value.encode(), SCANNER)


def test_cookies_and_queries_are_read_so_too() -> None:
    secret = encoded(b"the number is " + SECRET)
    found = treated(f"/?q={secret.replace('=', '%3D')}&r=1", {"cookie": f"a=1; session={secret}"})
    assert [(each.location, each.name) for each in found.findings] == [("cookie", "session"), ("query", "q")]
    clean = encoded(f"the number is x:{HIDDEN}".encode())
    assert list(found.headers.set) == [("cookie", f"a=1; session={clean}")]
    assert [name for name, _ in found.query.set] == ["q"]


SIGNS = b"\xfb\xff\xfe"  # of which base64 makes its signs


@pytest.mark.parametrize("begin", ["a=1; s=", "s=%22", "s=%7B%22a%22%3A%22"])
def test_the_signs_of_base64_may_be_percent_encoded(begin: str) -> None:
    """As cookies have them, and what stands before is no part of it."""
    written = quote(encoded(SIGNS + SSN.encode() + SIGNS * 4 + b"a"), safe="")
    assert written.count("%") > 8
    found = treated(headers={"cookie": f"{begin}{written}; b=2"})
    assert [(each.entity, each.name) for each in found.findings] == [("us_ssn", "s")]
    clean = quote(encoded(SIGNS + HIDDEN.encode() + SIGNS * 4 + b"a"), safe="")
    assert list(found.headers.set) == [("cookie", f"{begin}{clean}; b=2")]


def test_the_signs_of_base64_may_be_encoded_in_a_query_twice() -> None:
    """Once for the value, and once for what it holds."""
    written = quote(quote(encoded(SIGNS + SSN.encode() + SIGNS * 4 + b"a"), safe=""), safe="")
    ((_, value),) = treated(f"/?q={written}").query.set
    assert value == quote(quote(encoded(SIGNS + HIDDEN.encode() + SIGNS * 4 + b"a"), safe=""), safe="")


def test_what_is_found_in_the_text_as_it_stands_goes_before() -> None:
    """A key is one thing, whatever its letters decode to."""
    token = "ghp_" + "MTIzLTQ1LTY3ODkx" * 2 + "MTIz"
    text = token.encode()
    spans = SCANNER.scan(text)
    assert [span.detector.entity for span in spans] == ["github_token"]
    assert list(runs(text, spans, SCANNER)) == []


@given(st.binary(max_size=60), st.booleans(), st.booleans(), st.booleans())
def test_a_run_is_written_back_as_it_was(text: bytes, padded: bool, url_safe: bool, quoted: bool) -> None:  # noqa: FBT001
    """To the byte, when nothing is changed."""
    written = encoded(text + b" " + SSN.encode() + b" " + text, url_safe=url_safe, padded=padded).encode()
    written = quote(written, safe="").encode() if quoted else written
    for run in runs(written, (), SCANNER):
        assert written[: run.start] + run.write(run.text) + written[run.end :] == written


@given(st.binary(max_size=200))
def test_any_text_can_be_asked_about(text: bytes) -> None:
    """And what is not suspected holds nothing."""
    found = list(runs(text, (), SCANNER)) or SCANNER.scan(text)
    if not suspects(text, SCANNER):
        assert not SCANNER.scan(text)
    assert found is not None


@pytest.mark.parametrize(
    "text",
    [
        b"x-request-id: 0b5a4c7e-3f53-4c0e-9a42-0d9d0a3a1c11",
        b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        b"accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        b"referer: https://company.example/reports/quarterly/overview/of/everything",
    ],
)
def test_ordinary_headers_are_not_suspected(text: bytes) -> None:
    """Or each request would be searched at length."""
    assert not suspects(text, SCANNER)
