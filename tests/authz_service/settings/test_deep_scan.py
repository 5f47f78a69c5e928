"""Which bodies are looked at again, by what, and what is done about findings."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from authz_service.deep_scan.rules import Rule
from authz_service.revocation.model import Kind
from authz_service.settings.deep_scan import DeepScanSettings, read_deep_scan
from service_kit import strict_yaml
from service_kit.faults import Faults

KEY = os.urandom(32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with keys and a secret."""
    (tmp_path / "key").write_bytes(base64.b64encode(KEY) + b"\n")
    (tmp_path / "short").write_bytes(base64.b64encode(KEY[:16]))
    (tmp_path / "text").write_bytes(b"no key!")
    (tmp_path / "secret").write_text("shared")
    return tmp_path


def read(folder: Path, text: str) -> tuple[DeepScanSettings, list[str]]:
    """Read a section; return it and the faults."""
    faults = Faults()
    root = strict_yaml.parse(f"deep_scan: {{{text}}}\n".encode(), "x.yaml", faults)
    with root:
        found = read_deep_scan(root.section("deep_scan"), folder)
    return found, [fault.text for fault in faults.found]


def test_a_key_is_enough(folder: Path) -> None:
    """All bodies are looked at by our own detectors, and nothing is done but told."""
    assert read(folder, "key_files: [key]") == (DeepScanSettings((KEY,)), [])


def test_everything_can_be_said(folder: Path) -> None:
    """Percent and seconds are whole numbers."""
    found, faults = read(
        folder,
        "key_files: [key], analyser: presidio, directions: response, endpoints: [/reports, /hr], sample_bytes: 2048, "
        "entries: 7, keep_seconds: 60, deadline_seconds: 5, minimum_percent: 85, "
        "webhook: {url: 'https://undo.example/x', secret_file: secret}, "
        "on_finding: [{entities: [us_ssn], minimum_percent: 90, revoke: token, for_seconds: 60}, {webhook: true}]",
    )
    assert faults == []
    assert found == DeepScanSettings(
        (KEY,), "presidio", frozenset({"response"}), frozenset({"/reports", "/hr"}), 2048, 7, 60, 5, 0.85,
        (Rule(frozenset({"us_ssn"}), 0.9, Kind.TOKEN_ID, 60.0), Rule(webhook=True)),
        "https://undo.example/x", folder / "secret",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "deep_scan.key_files is missing"),
        ("key_files: [gone]", "deep_scan.key_files cannot be used"),
        ("key_files: [text]", "deep_scan.key_files cannot be used"),
        ("key_files: [short]", "deep_scan.key_files cannot be used"),
        ("key_files: [key], analyser: other", "deep_scan.analyser must be one of"),
        ("key_files: [key], endpoints: [/a/b]", "deep_scan.endpoints must hold first segments"),
        ("key_files: [key], sample_bytes: 9999999", "deep_scan.sample_bytes must be from"),
        ("key_files: [key], on_finding: [{webhook: true}]", "deep_scan.on_finding[0].webhook is set"),
        ("key_files: [key], on_finding: [{for_seconds: 5}]", "deep_scan.on_finding[0].for_seconds is for a revocation"),
        (
            "key_files: [key], webhook: {url: 'http://undo.example', secret_file: secret}",
            "deep_scan.webhook.url must be https",
        ),
        (
            "key_files: [key], webhook: {url: 'https://u:p@undo.example', secret_file: secret}",
            "deep_scan.webhook.url must hold no name",
        ),
        ("key_files: [key], more: 1", "unknown key 'more' in deep_scan"),
    ],
)
def test_what_cannot_be_is_a_fault(folder: Path, text: str, told: str) -> None:
    """One for each."""
    _, faults = read(folder, text)
    assert len(faults) == 1
    assert faults[0].startswith(told), faults
