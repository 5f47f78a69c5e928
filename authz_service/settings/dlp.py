"""The `dlp` section: what is looked for, what becomes of findings, how bodies are read."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from authz_service.dlp.actions import Action, Direction, Rule
from authz_service.dlp.body_findings import UNSCANNED
from authz_service.dlp.deltas import USUAL_PATHS, PathError, steps_of
from authz_service.dlp.detectors import EVERY, Detector, custom
from authz_service.dlp.redactions import USUAL_TEXT
from authz_service.model import Location
from authz_service.settings.deep_scan import DeepScanSettings, read_deep_scan
from authz_service.settings.keys import read_keys
from authz_service.settings.routes import read_conditions
from service_kit.faults import ConfigurationError, Faults
from service_kit.strict_yaml import Section

MAX_RULES: Final = 1_000
MAX_FILES: Final = 100
MAX_WINDOWS: Final = 64 * 1024 * 1024 * 1024  # bytes
MAX_PATHS: Final = 100
MAX_REPLACEMENT: Final = 64  # characters
_REPLACEMENT: Final = re.compile(r"[\x20-\x7e]+")  # what can stand in a header
_RESPONSE_LOCATIONS: Final = (Location.HEADER, Location.COOKIE, Location.BODY, Location.TRAILER)


@dataclass(frozen=True, slots=True)
class BodySettings:
    """How bodies are read. `limit_bytes` is of a buffered one, `stream_limit_bytes` of one that streams, 0 being none.

    `max_ratio` is of what is unpacked to what came.
    `numbers`: whether a number in JSON that may not stay is refused, or becomes a string. `exchanges` may be open at
    once, in each worker, and one of which nothing comes for `idle_seconds` ends. `window_bytes` are what the codings of
    all bodies may hold between their parts. `joined_deltas` are where in the events of a stream values are parts of one
    text; with none of them, each event is looked at by itself.
    """

    limit_bytes: int = 1024 * 1024
    stream_limit_bytes: int = 0
    over_limit: str = "block"
    numbers: str = "block"
    max_ratio: int = 100
    exchanges: int = 2_000
    idle_seconds: int = 900
    window_bytes: int = 64 * 1024 * 1024
    joined_deltas: tuple[str, ...] = USUAL_PATHS


@dataclass(frozen=True, slots=True)
class DlpSettings:
    """See `dlp.terms`. `disabled` are names of detectors, or of entities; keys are `KEY_BYTES` long.

    `detectors` are the operator's own, which come beside ours.
    """

    detectors: tuple[Detector, ...] = ()
    disabled: frozenset[str] = frozenset()
    minimum_confidence: float = 0.0
    actions: tuple[Rule, ...] = ()
    replacement: str = USUAL_TEXT
    hash_key: bytes | None = None
    token_keys: tuple[bytes, ...] = ()
    body: BodySettings = field(default_factory=BodySettings)
    deep_scan: DeepScanSettings | None = None


def read_dlp(root: Section, folder: Path) -> DlpSettings:
    """Read `dlp`; what is left out is as `DlpSettings` has it."""
    with root.section("dlp", required=False) as section:
        detectors, disabled, least = _detectors(section, folder)
        known = {detector.entity for detector in (*EVERY, *detectors)} | {UNSCANNED.entity}
        hash_key = (
            read_keys(section, "hash_key_file", (section.text("hash_key_file"),), folder)
            if section.has("hash_key_file")
            else ()
        )
        token_keys = read_keys(section, "token_key_files", section.texts("token_key_files"), folder)
        return DlpSettings(
            detectors,
            disabled,
            least,
            _actions(section, known, has_tokens=bool(token_keys)),
            _replacement(section),
            hash_key[0] if hash_key else None,
            token_keys,
            _body(section),
            read_deep_scan(section.section("deep_scan"), folder) if section.has("deep_scan") else None,
        )


def _detectors(section: Section, folder: Path) -> tuple[tuple[Detector, ...], frozenset[str], float]:
    with section.section("detectors", required=False) as detectors:
        names = detectors.texts("files")
        if len(names) > MAX_FILES:
            detectors.fault("files", f"must have at most {MAX_FILES} items")
        own = _own([folder / name for name in names[:MAX_FILES] if name], section.faults)
        disabled = frozenset(detectors.texts("disabled"))
        known = {name for detector in (*EVERY, *own) for name in (detector.name, detector.entity)}
        for name in sorted(disabled - known - {""}):
            detectors.fault("disabled", f"has {name!r}, which is no detector and no entity")
        return own, disabled, detectors.decimal("minimum_confidence", minimum=0, maximum=1, default=0)


def _own(files: Sequence[Path], faults: Faults) -> tuple[Detector, ...]:
    """Read the operator's own detectors; their faults, and tests of theirs that fail, are told by their own files."""
    try:
        return custom.load(files)
    except ConfigurationError as error:
        faults.found += error.faults
        return ()


def _actions(section: Section, known: Collection[str], *, has_tokens: bool) -> tuple[Rule, ...]:
    items = section.sections("actions")
    if len(items) > MAX_RULES:
        section.fault("actions", f"must have at most {MAX_RULES} items")
    return tuple(_rule(item, known, has_tokens=has_tokens) for item in items[:MAX_RULES])


def _rule(item: Section, known: Collection[str], *, has_tokens: bool) -> Rule:
    with item:
        action = Action(item.choice("action", [action.value for action in Action]))
        if action is Action.TOKENIZE and not has_tokens:
            item.fault("action", "is tokenize, which needs dlp.token_key_files")
        # An empty list would hold for nothing, or, read as one that is left out, for everything.
        entities = frozenset(item.texts("entities", required=item.has("entities")))
        for entity in sorted(entities - set(known) - {""}):
            item.fault("entities", f"has {entity!r}, which no detector finds")
        way = item.choice("direction", ("both", "request", "response"), default="both")
        direction = None if way == "both" else Direction(way)
        locations = _locations(item, direction)
        with item.section("match", required=False) as match:
            conditions = read_conditions(match)
        return Rule(
            action,
            entities,
            direction,
            locations,
            item.decimal("minimum_confidence", minimum=0, maximum=1, default=0),
            conditions,
            item.flag("final"),
        )


def _locations(item: Section, direction: Direction | None) -> frozenset[Location]:
    found = set()
    for name in item.texts("locations", required=item.has("locations")):
        if name and name not in set(Location):
            item.fault("locations", f"must hold {', '.join(Location)}, but has {name!r}")
        elif name:
            found.add(Location(name))
    if found and direction is Direction.RESPONSE and not found & set(_RESPONSE_LOCATIONS):
        item.fault("locations", "are none that a response has")
    return frozenset(found)


def _replacement(section: Section) -> str:
    text = section.text("replacement", USUAL_TEXT)
    if not _REPLACEMENT.fullmatch(text) or len(text) > MAX_REPLACEMENT:
        section.fault("replacement", f"must be printable ASCII of at most {MAX_REPLACEMENT} characters")
    return text


def _body(section: Section) -> BodySettings:
    with section.section("body", required=False) as body:
        return BodySettings(
            body.integer("limit_bytes", minimum=1_024, maximum=64 * 1024 * 1024, default=1024 * 1024),
            body.integer("stream_limit_bytes", minimum=0, maximum=1024 * 1024 * 1024 * 1024, default=0),
            body.choice("over_limit", ("block", "report"), default="block"),
            body.choice("numbers", ("block", "string"), default="block"),
            body.integer("max_ratio", minimum=1, maximum=10_000, default=100),
            body.integer("exchanges", minimum=1, maximum=10_000, default=2_000),
            body.integer("idle_seconds", minimum=1, maximum=86_400, default=900),
            body.integer("window_bytes", minimum=1024 * 1024, maximum=MAX_WINDOWS, default=64 * 1024 * 1024),
            _joined_deltas(body),
        )


def _joined_deltas(body: Section) -> tuple[str, ...]:
    if not body.has("joined_deltas"):
        return USUAL_PATHS
    paths = body.texts("joined_deltas")
    if len(paths) > MAX_PATHS:
        body.fault("joined_deltas", f"must have at most {MAX_PATHS} items")
    for path in filter(None, paths[:MAX_PATHS]):
        try:
            steps_of(path)
        except PathError:
            body.fault("joined_deltas", f"has {path!r}, which is no path such as choices[*].delta.content")
    return paths
