"""The `policy` section: where policies come from, which rule decides, and on what terms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from authz_service.settings.identity import ALGORITHMS
from authz_service.settings.reading import file_named, require_safe_url
from service_kit.strict_yaml import Section

# Of bundles: OPA signs by no other. A secret signs for those who verify with it, and for nobody else.
BUNDLE_ALGORITHMS = (*(name for name in ALGORITHMS if name != "EdDSA"), "HS256", "HS384", "HS512")
_ENTRYPOINT = re.compile(r"[A-Za-z_]\w*(/[A-Za-z_]\w*)+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?")
MAX_DEADLINE_MS = 10_000
MAX_POLL_SECONDS = 24 * 3600


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
class Policy:
    """Where the policies are, which rule decides (`package/path/rule`), and on what terms it is evaluated.

    Either `paths` or `bundle` is set. `deadline_ms` bounds one evaluation. `strict`: an error of a built-in is an
    outage, and does not only make its expression undefined. `run_tests`: policies whose tests fail are not used.
    `http_send_hosts`: whom `http.send` may ask, as host or host:port. `dry_run`: what the policies deny passes, marked
    so. `skip_request_body_parse`: policies see no parsed body. `proto_descriptor`: by which gRPC bodies are read.
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


def read_policy(root: Section, folder: Path) -> Policy:
    """Read `policy`."""
    with root.section("policy") as policy:
        policy.choice("engine", ("embedded",), default="embedded")
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
        decision = policy.text("decision")
        check_decision(policy, decision)
        deadline = policy.integer("deadline_ms", minimum=1, maximum=MAX_DEADLINE_MS, default=100)
        strict = policy.choice("builtin_errors", ("undefined", "fail"), default="undefined") == "fail"
        run_tests = policy.choice("tests", ("skip", "run"), default="skip") == "run"
        if run_tests and bundle is not None:
            policy.fault("tests", "can be run for paths only: a bundle's plan holds no tests")
        hosts = policy.texts("http_send_hosts")
        for host in hosts:
            if not _HOST.fullmatch(host):
                policy.fault("http_send_hosts", f"must hold host or host:port, but has {host!r}")
        dry_run, skip = policy.flag("dry_run"), policy.flag("skip_request_body_parse")
        descriptor = file_named(policy, "proto_descriptor", folder) if policy.has("proto_descriptor") else None
        if skip and descriptor is not None:
            policy.fault("proto_descriptor", "and skip_request_body_parse exclude each other")
    return Policy(paths, decision, bundle, deadline, strict, run_tests, hosts, dry_run, skip, descriptor)


def check_decision(section: Section, decision: str) -> None:
    """Note a fault unless `decision`, if there is one, names a rule."""
    if decision and not _ENTRYPOINT.fullmatch(decision):
        section.fault("decision", f"must be a rule's path such as agent_gateway/decision, but is {decision!r}")


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
