"""What those who are refused are told, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.denials import Denials
from authz_service.settings.denials import MAX_MESSAGE, MAX_MESSAGES, DenialSettings, read_denials
from tests.authz_service.settings.sections import section_faults, section_read

URL = "https://api.example/.well-known/oauth-protected-resource"
FULL = f"""\
denials:
  resource_metadata: {URL}
  mcp_status: 403
  messages:
    role_missing: "Ask the helpdesk: http://help.example/."
    token_expired: Bitte melden Sie sich neu an, für Zürich.
"""


def loaded(folder: Path, text: str) -> DenialSettings:
    """The settings."""
    return section_read(folder, text, read_denials)


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    """What is wrong with a section."""
    return section_faults(folder, text, read_denials)


def fault(folder: Path, written: str, instead: str) -> tuple[int, str]:
    """The only fault of a section in which something else is written."""
    assert FULL.count(written) == 1
    (found,) = faults(folder, FULL.replace(written, instead))
    return found


def test_everything_may_be_said(tmp_path: Path) -> None:
    """And is read as it is meant."""
    messages = {
        "role_missing": "Ask the helpdesk: http://help.example/.",
        "token_expired": "Bitte melden Sie sich neu an, für Zürich.",
    }
    assert loaded(tmp_path, FULL) == DenialSettings(Denials(messages, 403), URL)


@pytest.mark.parametrize(
    "text", ["{}", "denials:", "denials: {}", "denials: {messages: {}}", "denials: {mcp_status: 200}"]
)
def test_nothing_has_to_be_said(tmp_path: Path, text: str) -> None:
    """MCP clients then get their errors with 200."""
    assert loaded(tmp_path, text) == DenialSettings(Denials({}, 200), None) == DenialSettings()


@pytest.mark.parametrize("status", ["201", "400", "500", "ok", '""', "0200"])
def test_another_status_for_mcp_is_a_fault(tmp_path: Path, status: str) -> None:
    """There are two that its clients understand."""
    found = fault(tmp_path, "mcp_status: 403", f"mcp_status: {status}")
    assert found == (3, f"denials.mcp_status must be one of 200, 403, but is {status.strip(chr(34))!r}")


@pytest.mark.parametrize(
    "url",
    ["http://api.example/", "ftp://api.example/", "api.example", "https://", "/x", "https://[::1/",
    "https://a:x/", 'https://a/\\"',
     "https://a/ b", "https://a/é", "https://zürich.example/", "https://a/\\\\", "https://a/\\n"],
)  # fmt: skip
def test_an_address_that_is_no_safe_url_is_a_fault(tmp_path: Path, url: str) -> None:
    """It stands in quotes in a header."""
    line, text = fault(tmp_path, URL, f'"{url}"')
    assert line == 2
    assert text.startswith(("denials.resource_metadata is not a URL", "denials.resource_metadata must be"))


def test_an_address_on_this_machine_may_be_plain_http(tmp_path: Path) -> None:
    """As in development."""
    assert loaded(tmp_path, FULL.replace(URL, "http://localhost:8080/x")).resource_metadata == "http://localhost:8080/x"


@pytest.mark.parametrize(
    "code", ["Role_missing", "role-missing", "role missing", "1role", "_role", "r\u00f4le", '""', "role.missing"]
)
def test_what_is_no_code_is_a_fault(tmp_path: Path, code: str) -> None:
    """It would never be looked for."""
    line, text = fault(tmp_path, "role_missing:", f"{code}:")
    assert line == 5
    assert text.endswith("is no code: one is of lower-case letters, digits and underscores")


@pytest.mark.parametrize(
    "text", ["a\\nb", "a\\tb", "\\0", "\\x7f", "a\\r", "a\\Lb", "a\\Nb", "\\u202e", "a" * (MAX_MESSAGE + 1)]
)
def test_a_text_that_is_no_short_line_is_a_fault(tmp_path: Path, text: str) -> None:
    """Some clients get it as one line, whatever it is."""
    found = fault(tmp_path, "Bitte melden Sie sich neu an, für Zürich.", f'"{text}"')
    assert found == (6, f"denials.messages.token_expired must be one line of at most {MAX_MESSAGE} characters")


@pytest.mark.parametrize(
    ("value", "why"), [('""', "must not be empty"), ("7", "must be text, but is a whole number (put it in quotes)")]
)
def test_a_text_that_is_none_is_one_fault(tmp_path: Path, value: str, why: str) -> None:
    """And not two."""
    found = fault(tmp_path, "Bitte melden Sie sich neu an, für Zürich.", value)
    assert found == (6, f"denials.messages.token_expired {why}")


def test_so_long_and_so_many_may_texts_be(tmp_path: Path) -> None:
    """And no more."""
    long = loaded(tmp_path, FULL.replace("Bitte melden Sie sich neu an, für Zürich.", "é" * MAX_MESSAGE))
    assert len(long.denials.messages["token_expired"]) == MAX_MESSAGE
    messages = [f"    code_{n}: text\n" for n in range(MAX_MESSAGES + 1)]
    start = "denials:\n  messages:\n"
    assert len(loaded(tmp_path, start + "".join(messages[1:])).denials.messages) == MAX_MESSAGES
    found = faults(tmp_path, start + "".join(messages))
    assert found[0] == (3, f"denials.messages must have at most {MAX_MESSAGES} items")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Unknown keys and wrong types among them."""
    text = (
        FULL.replace("mcp_status: 403", "mcp: 403")
        .replace(URL, "x")
        .replace("Bitte melden Sie sich neu an, für Zürich.", "[]")
    )
    assert [line for line, _ in faults(tmp_path, text)] == [2, 3, 6]
    assert faults(tmp_path, "denials: []") == [(1, "denials must be a mapping, but is a list")]
