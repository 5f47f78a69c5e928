"""The `policy` section: where policies come from, which rule decides, and on what terms."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from authz_service.settings.identity import ALGORITHMS
from authz_service.settings.reading import file_named, require_safe_url
from service_kit.strict_yaml import Section

# Of bundles: OPA signs by no other. A secret signs for those who verify with it, and for nobody else.
BUNDLE_ALGORITHMS = (*(name for name in ALGORITHMS if name != "EdDSA"), "HS256", "HS384", "HS512")
_ENTRYPOINT = re.compile(r"[A-Za-z_]\w*(/[A-Za-z_]\w*)+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?")
_ORIGIN = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?/?")
MAX_DEADLINE_MS = 10_000
MAX_POLL_SECONDS = 24 * 3600
MAX_CACHE_ENTRIES = 1_000_000
MAX_CONNECTIONS = 1_000  # to an OPA server
# What says where the embedded engine's policies are, and how it evaluates them: with an OPA server it says nothing.
_EMBEDDED_ONLY = ("paths", "bundle", "builtin_errors", "tests", "http_send_hosts")


@dataclass(frozen=True, slots=True)
class Verification:
    """How a bundle's signature is verified: the key, its algorithm, and key id and scope where they must match."""

    key_file: Path
    algorithm: str
    key_id: str
    scope: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """An OPA bundle: one of `file` (an archive or folder) and `url`; a URL is asked every `poll_seconds`."""

    file: Path | None
    url: str | None
    token_file: Path | None
    poll_seconds: int
    verification: Verification | None


@dataclass(frozen=True, slots=True)
class Opa:
    """An OPA server that evaluates: http(s)://host:port or unix:///path, and how many connections it may have."""

    url: str
    token_file: Path | None
    connections: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Where the policies are, which rule decides (`package/path/rule`), and on what terms it is evaluated.

    One of `paths`, `bundle` and `opa` is set. `deadline_ms` bounds one evaluation. `strict`: an error of a built-in is
    an outage, and does not only make its expression undefined. `run_tests`: policies whose tests fail are not used.
    `http_send_hosts`: whom `http.send` may ask, as host or host:port. `dry_run`: what the policies deny passes, marked
    so. `skip_request_body_parse`: policies see no parsed body. `proto_descriptor`: by which gRPC bodies are read.
    `cache_entries`: how many results that say so are kept, 0 none.
    """

    paths: tuple[Path, ...]
    decision: str
    bundle: Bundle | None = None
    deadline_ms: int = 100
    strict: bool = False
    run_tests: bool = False
    http_send_hosts: tuple[str, ...] = ()
    dry_run: bool = False
    skip_request_body_parse: bool = False
    proto_descriptor: Path | None = None
    opa: Opa | None = None
    cache_entries: int = 10_000


def read_policy(root: Section, folder: Path) -> Policy:
    """Read `policy`."""
    with root.section("policy") as policy:
        if policy.choice("engine", ("embedded", "opa"), default="embedded") == "opa":
            return _remote(policy, folder)
        if policy.has("opa"):
            policy.fault("opa", "is for engine: opa only")
            policy.section("opa").plain()
        bundle = None
        if policy.has("bundle"):
            with policy.section("bundle") as section:
                bundle = _bundle(section, folder)
        names = policy.texts("paths", required=bundle is None)
        if bundle is not None and names:
            policy.fault("paths", "and bundle exclude each other")
        paths = tuple(folder / name for name in names)
        for path, name in zip(paths, names, strict=True):
            if name and not path.exists():
                policy.fault("paths", f"has {name!r}, which does not exist ({path})")
        common = _common(policy, folder)
        strict = policy.choice("builtin_errors", ("undefined", "fail"), default="undefined") == "fail"
        run_tests = policy.choice("tests", ("skip", "run"), default="skip") == "run"
        if run_tests and bundle is not None:
            policy.fault("tests", "can be run for paths only: a bundle's plan holds no tests")
        hosts = policy.texts("http_send_hosts")
        for host in hosts:
            if not _HOST.fullmatch(host):
                policy.fault("http_send_hosts", f"must hold host or host:port, but has {host!r}")
    return replace(common, paths=paths, bundle=bundle, strict=strict, run_tests=run_tests, http_send_hosts=hosts)


def check_decision(section: Section, decision: str) -> None:
    """Note a fault unless `decision`, if there is one, names a rule."""
    if decision and not _ENTRYPOINT.fullmatch(decision):
        section.fault("decision", f"must be a rule's path such as agent_gateway/decision, but is {decision!r}")


def _common(policy: Section, folder: Path) -> Policy:
    """Read what is the same whoever evaluates."""
    decision = policy.text("decision")
    check_decision(policy, decision)
    skip = policy.flag("skip_request_body_parse")
    descriptor = file_named(policy, "proto_descriptor", folder) if policy.has("proto_descriptor") else None
    if skip and descriptor is not None:
        policy.fault("proto_descriptor", "and skip_request_body_parse exclude each other")
    return Policy(
        (),
        decision,
        deadline_ms=policy.integer("deadline_ms", minimum=1, maximum=MAX_DEADLINE_MS, default=100),
        dry_run=policy.flag("dry_run"),
        skip_request_body_parse=skip,
        proto_descriptor=descriptor,
        cache_entries=policy.integer("cache_entries", minimum=0, maximum=MAX_CACHE_ENTRIES, default=10_000),
    )


def _remote(policy: Section, folder: Path) -> Policy:
    for key in _EMBEDDED_ONLY:
        if policy.has(key):
            policy.fault(key, "is for engine: embedded only: the OPA server has its own")
    with policy.section("opa") as section:
        opa = _opa(section, folder)
    return replace(_common(policy, folder), opa=opa)


def _opa(section: Section, folder: Path) -> Opa:
    url = section.text("url")
    if url.startswith("unix:"):
        if not re.fullmatch(r"unix:///[^?#]+", url):
            section.fault("url", f"must be unix:///path, but is {url!r}")
    elif url and not _ORIGIN.fullmatch(url):  # without its text, which may hold a password
        section.fault("url", "must be http(s)://host:port, and no more, or unix:///path")
    elif url:
        require_safe_url(section, "url", url, "decisions")
    token = file_named(section, "token_file", folder) if section.has("token_file") else None
    connections = section.integer("connections", minimum=1, maximum=MAX_CONNECTIONS, default=64)
    return Opa(url, token, connections)


def _bundle(section: Section, folder: Path) -> Bundle:
    file = folder / section.text("file") if section.has("file") else None
    url = section.text("url") if section.has("url") else None
    if (file is None) == (url is None):
        section.faults.add(section.source, section.line, f"{section.path} needs one of file and url")
    if file is not None and not file.exists():
        section.fault("file", f"names no bundle: {file}")
    if url:
        require_safe_url(section, "url", url, "policies")
    token = file_named(section, "token_file", folder) if section.has("token_file") else None
    poll = section.integer("poll_seconds", minimum=1, maximum=MAX_POLL_SECONDS, default=30)
    verification = None
    if section.has("verification"):
        with section.section("verification") as found:
            verification = Verification(
                file_named(found, "key_file", folder),
                found.choice("algorithm", BUNDLE_ALGORITHMS, default="RS256"),
                found.text("key_id", ""),
                found.text("scope", ""),
            )
    return Bundle(file, url, token, poll, verification)
