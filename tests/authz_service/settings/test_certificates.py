"""Whose certificates name callers, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.identity.certificate_names import AcceptedName
from authz_service.identity.xfcc import Trust
from authz_service.settings.certificates import MAX_NAMES, CertificateSettings, read_certificates
from tests.authz_service.settings.sections import section_faults, section_read

FULL = """\
certificates:
  forwarded: last
  accept:
    - uri: spiffe://company.example/agent/*
      roles: [reader, writer]
    - dns: "*.agents.example"
    - subject: CN=*,O=Company
      roles: []
"""


def loaded(folder: Path, text: str) -> CertificateSettings:
    """The settings."""
    return section_read(folder, text, lambda root: read_certificates(root.section("certificates")))


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    """What is wrong with a section."""
    return section_faults(folder, text, lambda root: read_certificates(root.section("certificates")))


def fault(folder: Path, written: str, instead: str) -> tuple[int, str]:
    """The only fault of a section in which something else is written."""
    assert FULL.count(written) == 1
    (found,) = faults(folder, FULL.replace(written, instead))
    return found


def test_everything_may_be_said(tmp_path: Path) -> None:
    """And is read as it is meant, in its order."""
    assert loaded(tmp_path, FULL) == CertificateSettings(
        (
            AcceptedName("uri", "spiffe://company.example/agent/*", ("reader", "writer")),
            AcceptedName("dns", "*.agents.example", ()),
            AcceptedName("subject", "CN=*,O=Company", ()),
        ),
        Trust.LAST,
    )


def test_nobody_is_accepted_and_nothing_is_believed_unless_it_is_said(tmp_path: Path) -> None:
    """An empty section says nothing."""
    assert loaded(tmp_path, "certificates: {}") == CertificateSettings((), Trust.NONE) == CertificateSettings()


@pytest.mark.parametrize("trust", list(Trust))
def test_each_kind_of_trust_can_be_said(tmp_path: Path, trust: Trust) -> None:
    """By its own word."""
    assert loaded(tmp_path, FULL.replace("last", trust.value)).forwarded is trust


@pytest.mark.parametrize("word", ["first", "all", "Last", "true", ""])
def test_another_kind_of_trust_is_a_fault(tmp_path: Path, word: str) -> None:
    """With those that there are."""
    found = fault(tmp_path, "forwarded: last", f'forwarded: "{word}"')
    assert found == (2, f"certificates.forwarded must be one of none, only, last, but is {word!r}")


def test_a_name_is_of_one_kind(tmp_path: Path) -> None:
    """Neither of none nor of two: whether one or both had to fit, nobody could tell."""
    needs_one = "certificates.accept[1] needs one of uri, dns, subject"
    assert fault(tmp_path, 'dns: "*.agents.example"', "roles: [a]") == (6, needs_one)
    assert fault(tmp_path, 'dns: "*.agents.example"', "{uri: a, dns: b}") == (6, needs_one)


@pytest.mark.parametrize(
    "pattern", ["*", "**", "***", "*.*", "*/*", "**/**", "*,*", "://**", "*://*", ".", "/", "*=*,**", " "]
)
@pytest.mark.parametrize("kind", ["uri", "dns", "subject"])
def test_a_pattern_that_names_nothing_is_a_fault(tmp_path: Path, pattern: str, kind: str) -> None:
    """It would fit every certificate of its kind."""
    found = fault(tmp_path, 'dns: "*.agents.example"', f'{kind}: "{pattern}"')
    assert found == (6, f"certificates.accept[1].{kind} must name something: this pattern fits every certificate")


@pytest.mark.parametrize(
    ("value", "why"), [('""', "must not be empty"), ("7", "must be text, but is a whole number (put it in quotes)")]
)
def test_a_pattern_that_is_no_text_is_one_fault(tmp_path: Path, value: str, why: str) -> None:
    """And not two."""
    assert fault(tmp_path, 'dns: "*.agents.example"', f"dns: {value}") == (6, f"certificates.accept[1].dns {why}")


def test_so_many_names_may_there_be_and_no_more(tmp_path: Path) -> None:
    """Each is looked at for each request."""
    names = [f"    - uri: u:{n}\n" for n in range(MAX_NAMES + 1)]
    start = "certificates:\n  accept:\n"
    assert len(loaded(tmp_path, start + "".join(names[1:])).accept) == MAX_NAMES
    assert faults(tmp_path, start + "".join(names)) == [(3, f"certificates.accept must have at most {MAX_NAMES} items")]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Unknown keys and wrong types among them."""
    text = (
        FULL.replace("last", "x").replace("roles: [reader, writer]", "role: [reader]").replace("roles: []", "roles: x")
    )
    assert [line for line, _ in faults(tmp_path, text)] == [2, 5, 8]
