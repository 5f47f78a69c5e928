"""What a policy is told of a body."""

from __future__ import annotations

import base64

import pytest

from authz_service.dlp import body_findings
from authz_service.dlp.actions import Action, Rule
from authz_service.dlp.body_findings import scan_body
from authz_service.dlp.fields import Blocks
from authz_service.dlp.scan import Scanner
from authz_service.dlp.treatments import Exchange
from authz_service.model import HttpRequest, Location
from authz_service.policy.target import Target
from tests.authz_service.dlp.inspecting import ALICE, KEY, SSN, USUAL, terms


def told(
    body: bytes, encoding: str = "", scanner: Scanner = USUAL.scanner, blocks: Blocks | None = None, *rules: Rule
) -> list[tuple[str, int, int, str]]:
    """Entity, offset, count and action of what is found."""
    request = HttpRequest("POST", "/", headers={"content-encoding": encoding} if encoding else {}, body=body)
    exchange: Exchange = terms(*rules).treatments.exchange("POST", "", Target("/", "", "/"), ALICE)
    found = scan_body(request, scanner)
    if found is None:
        return []
    found.note(exchange, blocks)
    assert {finding.location for finding in exchange.notes.findings} == {Location.BODY}
    return [(each.entity, each.offset, each.count, each.action) for each in exchange.notes.findings]


def test_findings_are_counted_by_kind() -> None:
    assert told(f"a {SSN} {KEY} {SSN}".encode()) == [("us_ssn", 2, 2, "replace"), ("aws_access_key", 14, 1, "replace")]


@pytest.mark.parametrize("body", [b"", b"nothing", b"\xff\x00", f"{SSN}0".encode()])
def test_of_a_body_without_findings_nothing_is_told(body: bytes) -> None:
    assert told(body, "identity") == []


@pytest.mark.parametrize("encoding", ["gzip", " GZIP ", "gzip, br", "unheard-of"])
def test_a_body_that_is_packed_is_told_to_be_unscanned(encoding: str) -> None:
    """Nobody is to take that for clean."""
    assert told(SSN.encode(), encoding) == [("unscanned", 0, 1, "report")]


def test_so_is_what_is_more_than_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """In length, or in findings."""
    monkeypatch.setattr(body_findings, "MAX_BODY", 20)
    assert told(f"{SSN} 12345678{SSN}".encode()) == [("us_ssn", 0, 1, "replace"), ("unscanned", 20, 1, "report")]
    assert told(f"{SSN} 12345678".encode()) == [("us_ssn", 0, 1, "replace")]
    monkeypatch.setattr(body_findings, "MAX_BODY", 100)
    monkeypatch.setattr(body_findings, "MAX_FOUND", 2)
    assert told(" ".join([SSN] * 3).encode()) == [("us_ssn", 0, 2, "replace"), ("unscanned", 35, 1, "report")]


def test_a_rule_can_refuse_what_was_not_searched() -> None:
    blocks = Blocks()
    rule = Rule(Action.BLOCK, frozenset({"unscanned"}))
    assert told(b"x", "gzip", USUAL.scanner, blocks, rule) == [("unscanned", 0, 1, "block")]
    assert blocks.code == "secret_in_request"


def test_a_token_of_ours_is_no_finding() -> None:
    by = terms()
    assert told(b"agt1_" + b"a" * 40, scanner=by.scanner) == []


@pytest.mark.parametrize(
    ("content_type", "body", "name"),
    [
        ("application/json", b'{"a": [0, {"b c": "%s"}]}', '$.a[1]["b c"]'),
        ("application/problem+json", b'{"a": "1 \\u0031%s"}', "$.a"),
        ("application/json", b'{"%s": 1}', "$.?"),
        ("application/x-www-form-urlencoded", b"a=1&b=%s", ""),
        ("text/plain", b"%s", ""),
    ],
)
def test_a_body_is_read_as_its_type_says(content_type: str, body: bytes, name: str) -> None:
    """Of JSON the path is told, and never a name that is a finding itself."""
    for written in (SSN, SSN.replace("-", "\\u002d" if "json" in content_type else "-")):
        request = HttpRequest("POST", "/", headers={"content-type": content_type}, body=body % written.encode())
        if b"0031" in body:
            assert scan_body(request, USUAL.scanner) is None  # ten digits, and no number of nine
            continue
        found = scan_body(request, USUAL.scanner)
        assert found is not None
        assert [(one.detector.entity, one.name) for one in found.found] == [("us_ssn", name)]


def test_a_path_that_holds_a_finding_is_not_told() -> None:
    body = f'{{"{SSN}": {{"a": "{KEY}"}}}}'.encode()
    found = scan_body(HttpRequest("POST", "/", headers={"content-type": "application/json"}, body=body), USUAL.scanner)
    assert found is not None
    assert [one.name for one in found.found] == ["$.?", ""]


def test_base64_in_a_body_is_read_too() -> None:
    body = b"x " + base64.b64encode(f"a longer text with {SSN} in it".encode())
    assert [entity for entity, *_ in told(body)] == ["us_ssn"]


def test_a_body_in_utf_16_is_searched_and_one_that_cannot_be_read_told_to_be_unscanned() -> None:
    """Places are told in UTF-8."""
    headers = {"content-type": "application/json"}
    found = scan_body(
        HttpRequest("POST", "/", headers=headers, body=f'{{"a": "{SSN}"}}'.encode("utf-16")), USUAL.scanner
    )
    assert found is not None
    assert [(each.detector.entity, each.name) for each in found.found] == [("us_ssn", "$.a")]
    headers = {"content-type": "text/plain; charset=utf-7"}
    found = scan_body(HttpRequest("POST", "/", headers=headers, body=SSN.encode()), USUAL.scanner)
    assert found is not None
    assert [each.detector.entity for each in found.found] == ["unscanned"]
    headers = {"content-type": "multipart/mixed; boundary=b"}
    body = b"--b\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nx\r\n--b--"
    found = scan_body(HttpRequest("POST", "/", headers=headers, body=body), USUAL.scanner)
    assert found is not None
    assert [each.detector.entity for each in found.found] == ["unscanned"]
