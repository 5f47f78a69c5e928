"""The configuration file, parsed strictly into frozen settings; every fault at once, with file and line.

Relative paths in the file are relative to the file's own folder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from service_kit import strict_yaml
from service_kit.faults import Faults
from service_kit.listening import MAX_PORT, MAX_WORKERS, Listening, Server, Tls
from service_kit.strict_yaml import Section

# Asymmetric only: with a shared secret every service that can verify a token could also make one.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
# Of bundles: OPA signs by no other. A secret signs for those who verify with it, and for nobody else.
BUNDLE_ALGORITHMS = (*(name for name in ALGORITHMS if name != "EdDSA"), "HS256", "HS384", "HS512")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ENTRYPOINT = re.compile(r"[A-Za-z_]\w*(/[A-Za-z_]\w*)+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?")
_OWN = {"jwks_uri": "keys", "url": "policies"}
MAX_DEADLINE_MS = 10_000
MAX_POLL_SECONDS = 24 * 3600
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):(\d{1,5})")


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Which claims hold whom: the name of a claim, or a dotted path into nested ones."""

    user: str
    agent: str
    roles: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer of tokens that is trusted, and on what terms. One of `jwks_uri` and `jwks_file` is set.

    `source` and `line` are where the file names the keys, for messages about them.
    """

    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    claims: ClaimNames
    jwks_uri: str | None
    jwks_file: Path | None
    source: str
    line: int


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
    `http_send_hosts`: whom `http.send` may ask, as host or host:port.
    """

    paths: tuple[Path, ...]
    decision: str
    bundle: Bundle | None = None
    deadline_ms: int = 100
    strict: bool = False
    run_tests: bool = False
    http_send_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the service is told."""

    listen: Listening
    anonymous: Literal["deny", "allow"]
    issuers: tuple[Issuer, ...]
    policy: Policy


def load(path: Path) -> Settings:
    """Read the configuration file, or raise `ConfigurationError` with every fault."""
    faults = Faults()
    folder = path.absolute().parent
    with strict_yaml.read(path, faults) as root:
        listen = _listen(root, folder)
        with root.section("identity") as identity:
            anonymous = identity.choice("anonymous", ("deny", "allow"), default="deny")
            issuers = tuple(_issuer(section, folder) for section in identity.sections("issuers"))
            if not issuers and anonymous == "deny":
                identity.fault("issuers", "must have at least one item, or nobody can call (anonymous is deny)")
        policy = _policy(root, folder)
    names = [issuer.issuer for issuer in issuers]
    for issuer in issuers:
        if issuer.issuer and names.count(issuer.issuer) > 1:
            faults.add(issuer.source, issuer.line, f"issuer {issuer.issuer!r} is configured more than once")
    faults.raise_if_any()
    return Settings(listen, "allow" if anonymous == "allow" else "deny", issuers, policy)


def _listen(root: Section, folder: Path) -> Listening:
    with root.section("listen") as listen:
        grpc = listen.text("grpc")
        if grpc and not grpc.startswith("unix:///") and not _is_address(grpc):
            listen.fault("grpc", f"must be host:port or unix:///path, but is {grpc!r}")
        http = listen.text("http")
        if http and not _is_address(http):
            listen.fault("http", f"must be host:port, but is {http!r}")
        tls = None
        if listen.has("tls"):
            with listen.section("tls") as section:
                certificate, key = _file(section, "certificate", folder), _file(section, "key", folder)
                client_ca = _file(section, "client_ca", folder) if section.has("client_ca") else None
                tls = Tls(certificate, key, client_ca)
        server = Server(listen.choice("server", [server.value for server in Server], default=Server.AUTO.value))
        workers = listen.integer("workers", minimum=1, maximum=MAX_WORKERS, default=1)
        if workers > 1 and grpc.startswith("unix:"):
            listen.fault("workers", "must be 1 with a unix socket, which belongs to one process")
        admin = folder / listen.text("envoy_admin") if listen.has("envoy_admin") else None
        if admin is not None and not admin.is_dir():
            listen.fault("envoy_admin", f"must be a folder for admin sockets, but is none: {admin}")
    return Listening(grpc, http, tls, server, workers, admin)


def _issuer(section: Section, folder: Path) -> Issuer:
    with section:
        issuer = section.text("issuer")
        audiences = section.texts("audiences", required=True)
        algorithms = section.texts("algorithms", required=True)
        for name in algorithms:
            if name not in ALGORITHMS:
                why = "is symmetric or none, which is never accepted" if name[:2] in {"HS", "no"} else "is not known"
                section.fault("algorithms", f"has {name!r}, which {why}; known: {', '.join(ALGORITHMS)}")
        with section.section("claims", required=False) as names:
            claims = ClaimNames(
                names.text("user", "sub"), names.text("agent", "agent_id"), names.text("roles", "roles")
            )
        uri = section.text("jwks_uri") if section.has("jwks_uri") else None
        file = _file(section, "jwks_file", folder) if section.has("jwks_file") else None
        if (uri is None) == (file is None):
            section.faults.add(section.source, section.line, f"{section.path} needs one of jwks_uri and jwks_file")
        if uri:
            _refuse_unsafe_uri(section, "jwks_uri", uri)
        line = section.line_of("jwks_uri" if uri else "jwks_file")
        return Issuer(issuer, audiences, algorithms, claims, uri, file, section.source, line)


def _refuse_unsafe_uri(section: Section, name: str, uri: str) -> None:
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        section.fault(name, "is not a URL")
        return
    if parts.scheme not in {"https", "http"} or not host:
        section.fault(name, "must be an https URL")
    elif parts.scheme == "http" and host not in _LOOPBACK:
        section.fault(name, f"must be https: over plain http anyone on the way could put in {_OWN[name]} of his own")


def _policy(root: Section, folder: Path) -> Policy:
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
        if decision and not _ENTRYPOINT.fullmatch(decision):
            policy.fault("decision", f"must be a rule's path such as agent_gateway/decision, but is {decision!r}")
        deadline = policy.integer("deadline_ms", minimum=1, maximum=MAX_DEADLINE_MS, default=100)
        strict = policy.choice("builtin_errors", ("undefined", "fail"), default="undefined") == "fail"
        run_tests = policy.choice("tests", ("skip", "run"), default="skip") == "run"
        if run_tests and bundle is not None:
            policy.fault("tests", "can be run for paths only: a bundle's plan holds no tests")
        hosts = policy.texts("http_send_hosts")
        for host in hosts:
            if not _HOST.fullmatch(host):
                policy.fault("http_send_hosts", f"must hold host or host:port, but has {host!r}")
    return Policy(paths, decision, bundle, deadline, strict, run_tests, hosts)


def _bundle(section: Section, folder: Path) -> Bundle:
    file = folder / section.text("file") if section.has("file") else None
    url = section.text("url") if section.has("url") else None
    if (file is None) == (url is None):
        section.faults.add(section.source, section.line, f"{section.path} needs one of file and url")
    if file is not None and not file.exists():
        section.fault("file", f"names no bundle: {file}")
    if url:
        _refuse_unsafe_uri(section, "url", url)
    token = _file(section, "token_file", folder) if section.has("token_file") else None
    poll = section.integer("poll_seconds", minimum=1, maximum=MAX_POLL_SECONDS, default=30)
    verification = None
    if section.has("verification"):
        with section.section("verification") as found:
            verification = Verification(
                _file(found, "key_file", folder),
                found.choice("algorithm", BUNDLE_ALGORITHMS, default="RS256"),
                found.text("key_id", ""),
                found.text("scope", ""),
            )
    return Bundle(file, url, token, poll, verification)


def _file(section: Section, key: str, folder: Path) -> Path:
    name = section.text(key)
    path = folder / name
    if name and not path.is_file():
        section.fault(key, f"names no file: {path}")
    return path


def _is_address(text: str) -> bool:
    match = _ADDRESS.fullmatch(text)
    return match is not None and int(match[2]) <= MAX_PORT
