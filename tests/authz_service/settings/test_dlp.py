"""The section `dlp`."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from authz_service.dlp.actions import Action, Direction, Rule
from authz_service.dlp.deltas import USUAL_PATHS
from authz_service.dlp.terms import open_terms
from authz_service.model import Location
from authz_service.routing import Conditions
from authz_service.settings.dlp import BodySettings, DlpSettings, read_dlp
from service_kit import strict_yaml
from service_kit.faults import Faults
from tests.authz_service.settings.configured import SMALLEST, loaded
from tests.authz_service.settings.sections import section_faults, section_read

ONE, OTHER = b"1" * 32, b"2" * 32


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with keys and a file of detectors."""
    (tmp_path / "one.key").write_bytes(base64.b64encode(ONE) + b"\n")
    (tmp_path / "other.key").write_bytes(base64.b64encode(OTHER))
    (tmp_path / "short.key").write_bytes(base64.b64encode(b"1" * 16))
    (tmp_path / "text.key").write_text("no key at all")
    (tmp_path / "own.yaml").write_text(
        "detectors:\n  - {entity: badge, pattern: 'B-[0-9]{6}', tests: {found: ['my B-123456']}}\n"
    )
    (tmp_path / "bad.yaml").write_text(
        "detectors:\n  - {entity: badge, pattern: 'B-[0-9]{6}', tests: {found: ['my B-12345']}}\n"
    )
    return tmp_path


def read(folder: Path, text: str) -> DlpSettings:
    return section_read(folder, text, lambda root: read_dlp(root, folder))


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    return section_faults(folder, text, lambda root: read_dlp(root, folder))


def test_without_the_section_everything_is_as_usual(files: Path) -> None:
    assert read(files, "{}") == read(files, "dlp: {}") == DlpSettings()
    (files / "rego").mkdir()
    assert loaded(files, SMALLEST).dlp == DlpSettings()


def test_everything_can_be_said(files: Path) -> None:
    """Paths are relative to the file's folder."""
    found = read(
        files,
        """\
dlp:
  detectors: {disabled: [github_token, aws_access_key_id], minimum_confidence: 0.25}
  actions:
    - entities: [us_ssn]
      action: tokenize
      direction: request
      locations: [header, body]
      minimum_confidence: 0.9
      match: {hosts: ["*.hr.example"], paths: [/people], methods: [POST]}
    - {action: block, final: yes}
  replacement: "<{entity}>"
  hash_key_file: one.key
  token_key_files: [other.key, one.key]
  body:
    limit_bytes: 2048
    stream_limit_bytes: 4096
    over_limit: report
    numbers: string
    max_ratio: 50
    exchanges: 7
    idle_seconds: 9
    window_bytes: 2097152
    joined_deltas: [a.b, "c[*]"]
""",
    )
    conditions = Conditions(("*.hr.example",), ("/people",), ("POST",))
    places = frozenset({Location.HEADER, Location.BODY})
    assert found == DlpSettings(
        (), frozenset({"github_token", "aws_access_key_id"}), 0.25,
        (
            Rule(Action.TOKENIZE, frozenset({"us_ssn"}), Direction.REQUEST, places, 0.9, conditions),
            Rule(Action.BLOCK, final=True),
        ),
        "<{entity}>", ONE, (OTHER, ONE),
        BodySettings(2048, 4096, "report", "string", 50, 7, 9, 2097152, ("a.b", "c[*]")),
    )  # fmt: skip


def test_deltas_are_joined_at_the_usual_places_unless_others_are_named(files: Path) -> None:
    """Or none."""
    assert read(files, "dlp: {body: {}}").body.joined_deltas == USUAL_PATHS
    assert read(files, "dlp: {body: {joined_deltas: []}}").body.joined_deltas == ()


def test_detectors_of_ones_own_come_beside_ours(files: Path) -> None:
    """And their entities can be named."""
    found = read(files, "dlp: {detectors: {files: [own.yaml]}, actions: [{entities: [badge], action: mask}]}")
    assert [detector.entity for detector in found.detectors] == ["badge"]
    assert found.actions == (Rule(Action.MASK, frozenset({"badge"})),)
    scanner = open_terms(found).scanner
    assert [span.detector.entity for span in scanner.scan(b"my B-123456")] == ["badge"]


def test_faults_of_ones_own_detectors_are_told_by_their_own_files(files: Path) -> None:
    """Beside those of this file."""
    faults = Faults()
    text = b"dlp: {detectors: {files: [bad.yaml, gone.yaml]}, more: 1}\n"
    with strict_yaml.parse(text, "authz.yaml", faults) as root:
        read_dlp(root, files)
    assert {fault.source for fault in faults.found} == {"authz.yaml", str(files / "gone.yaml"), str(files / "bad.yaml")}


@pytest.mark.parametrize(("text", "confidence"), [("0", 0.0), ("1", 1.0), ("1.0", 1.0), ("0.855", 0.855), (".5", 0.5)])
def test_a_confidence_is_a_number_from_0_to_1(files: Path, text: str, confidence: float) -> None:
    assert read(files, f"dlp: {{detectors: {{minimum_confidence: {text}}}}}").minimum_confidence == confidence


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("more: 1", "unknown key 'more' in dlp"),
        ("detectors: {disabled: [us_sn]}", "dlp.detectors.disabled has 'us_sn', which is no detector"),
        ("detectors: {minimum_confidence: 1.1}", "dlp.detectors.minimum_confidence must be from 0 to 1"),
        ("detectors: {minimum_confidence: -1}", "dlp.detectors.minimum_confidence must be from 0 to 1"),
        ("detectors: {minimum_confidence: nan}", "dlp.detectors.minimum_confidence must be a number"),
        ("actions: [{action: allow, entities: [us_sn]}]", "dlp.actions[0].entities has 'us_sn', which no detector"),
        ("actions: [{action: pass}]", "dlp.actions[0].action must be one of allow, report"),
        ("actions: [{entities: [us_ssn]}]", "dlp.actions[0].action is missing"),
        ("actions: [{action: allow, entities: []}]", "dlp.actions[0].entities must have at least one item"),
        ("actions: [{action: allow, locations: []}]", "dlp.actions[0].locations must have at least one item"),
        ("actions: [{action: allow, locations: [head]}]", "dlp.actions[0].locations must hold header, cookie"),
        ("actions: [{action: allow, direction: up}]", "dlp.actions[0].direction must be one of both"),
        ("actions: [{action: allow, match: {paths: [x]}}]", "dlp.actions[0].match.paths must hold decoded paths"),
        ("actions: [{action: allow, match: {route: x}}]", "unknown key 'route' in dlp.actions[0].match"),
        (
            "actions: [{action: allow, direction: response, locations: [query, path]}]",
            "dlp.actions[0].locations are none that a response has",
        ),
        ("actions: [{action: tokenize}]", "dlp.actions[0].action is tokenize, which needs dlp.token_key_files"),
        ("replacement: 'a\tb'", "dlp.replacement must be printable ASCII"),
        (f"replacement: {'x' * 65}", "dlp.replacement must be printable ASCII"),
        ("hash_key_file: gone.key", "dlp.hash_key_file cannot be used:"),
        ("hash_key_file: text.key", "dlp.hash_key_file cannot be used:"),
        ("token_key_files: [one.key, short.key]", "dlp.token_key_files cannot be used:"),
        (f"token_key_files: [{', '.join(['one.key'] * 9)}]", "dlp.token_key_files must have at most 8 items"),
        ("body: {limit_bytes: 1}", "dlp.body.limit_bytes must be from"),
        ("body: {numbers: text}", "dlp.body.numbers must be one of block, string"),
        ("body: {over_limit: pass}", "dlp.body.over_limit must be one of block, report"),
        ("body: {max_ratio: 0}", "dlp.body.max_ratio must be from"),
        ("body: {stream_limit_bytes: -1}", "dlp.body.stream_limit_bytes must be from 0"),
        ("body: {idle_seconds: 0}", "dlp.body.idle_seconds must be from 1 to 86400"),
        ("body: {exchanges: 0}", "dlp.body.exchanges must be from 1 to 10000"),
        ("body: {joined_deltas: [a, b..c]}", "dlp.body.joined_deltas has 'b..c', which is no path such as"),
        (f"body: {{joined_deltas: [{', '.join(['a'] * 101)}]}}", "dlp.body.joined_deltas must have at most 100 items"),
        ("deep_scan: {}", "dlp.deep_scan.key_files is missing"),
    ],
)
def test_what_cannot_be_is_a_fault(files: Path, text: str, told: str) -> None:
    """One for each, with its line, and nothing of a key in it."""
    found = faults(files, f"dlp:\n  {{{text}}}\n")
    assert len(found) == 1, found
    assert found[0][0] == 2
    assert found[0][1].startswith(told), found
    assert "no key" not in found[0][1]


def test_there_are_not_more_rules_than_are_allowed(files: Path) -> None:
    rules = "".join("\n    - {action: allow}" for _ in range(1_001))
    ((_, text),) = faults(files, f"dlp:\n  actions:{rules}\n")
    assert text == "dlp.actions must have at most 1000 items"
