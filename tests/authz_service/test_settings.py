"""The configuration file: what it may say, and every fault with its place."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from authz_service import settings
from authz_service.settings import ALGORITHMS, ClaimNames, Settings
from service_kit.faults import ConfigurationError
from service_kit.listening import Server

ROOT = Path(__file__).parents[2]
FULL = """\
listen:
  grpc: 127.0.0.1:9001
  http: "[::1]:9002"
  tls:
    certificate: tls/server.crt
    key: tls/server.key
    client_ca: tls/clients.crt
identity:
  anonymous: deny
  issuers:
    - issuer: https://idp.example
      audiences: [agent-gateway, other]
      algorithms: [RS256, ES256]
      jwks_uri: https://idp.example/jwks.json
      claims:
        user: email
        agent: azp
        roles: realm_access.roles
    - issuer: https://file.example
      audiences: [agent-gateway]
      algorithms: [EdDSA]
      jwks_file: jwks.json
policy:
  engine: embedded
  paths: [rego]
  decision: agent_gateway/decision
"""
SMALLEST = """\
listen: {grpc: "0.0.0.0:9001", http: "localhost:0"}
identity: {anonymous: allow}
policy: {paths: [rego], decision: a/b}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with every file that the examples name."""
    (tmp_path / "tls").mkdir()
    (tmp_path / "rego").mkdir()
    for name in ("tls/server.crt", "tls/server.key", "tls/clients.crt", "jwks.json"):
        (tmp_path / name).touch()
    return tmp_path


def loaded(folder: Path, text: str) -> Settings:
    """Load a configuration of this text."""
    (folder / "authz.yaml").write_text(text)
    return settings.load(folder / "authz.yaml")


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    """The faults of a configuration: lines and texts."""
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    assert {fault.source for fault in caught.value.faults} == {str(folder / "authz.yaml")}
    return [(fault.line, fault.text) for fault in caught.value.faults]


def fault(folder: Path, written: str, instead: str, text: str = FULL) -> tuple[int, str]:
    """The only fault of a configuration in which something else is written."""
    assert text.count(written) == 1
    found = faults(folder, text.replace(written, instead))
    assert len(found) == 1, found
    return found[0]


def test_everything_that_can_be_said_is_read(folder: Path) -> None:
    """Paths are relative to the file's folder."""
    read = loaded(folder, FULL)
    assert (read.listen.grpc, read.listen.http) == ("127.0.0.1:9001", "[::1]:9002")
    assert read.listen.tls is not None
    assert read.listen.tls.certificate == folder / "tls" / "server.crt"
    assert read.listen.tls.key == folder / "tls" / "server.key"
    assert read.listen.tls.client_ca == folder / "tls" / "clients.crt"
    assert read.anonymous == "deny"
    by_uri, by_file = read.issuers
    assert (by_uri.issuer, by_uri.audiences) == ("https://idp.example", ("agent-gateway", "other"))
    assert by_uri.algorithms == ("RS256", "ES256")
    assert by_uri.claims == ClaimNames("email", "azp", "realm_access.roles")
    assert (by_uri.jwks_uri, by_uri.jwks_file) == ("https://idp.example/jwks.json", None)
    assert (by_file.jwks_uri, by_file.jwks_file) == (None, folder / "jwks.json")
    assert by_file.claims == ClaimNames("sub", "agent_id", "roles")
    assert (read.policy.paths, read.policy.decision) == ((folder / "rego",), "agent_gateway/decision")


def test_what_need_not_be_said_has_a_default(folder: Path) -> None:
    """No TLS, no issuers where anybody may call."""
    read = loaded(folder, SMALLEST)
    assert (read.listen.server, read.listen.workers, read.listen.admin) == (Server.AUTO, 1, None)
    assert (read.listen.tls, read.issuers, read.anonymous) == (None, (), "allow")
    assert loaded(folder, FULL.replace("  anonymous: deny\n", "")).anonymous == "deny"


HOSTED = FULL.replace("listen:\n", "listen:\n  server: pyvoy\n  workers: 2\n  envoy_admin: tls\n")


def test_the_host_and_its_workers_are_chosen(folder: Path) -> None:
    """The folder for admin sockets is one that is there."""
    listen = loaded(folder, HOSTED).listen
    assert (listen.server, listen.workers, listen.admin) == (Server.PYVOY, 2, folder / "tls")


@pytest.mark.parametrize(
    ("written", "instead", "line", "told"),
    [
        ("server: pyvoy", "server: go", 2, "listen.server must be one of auto, pyvoy, grpcio, but is 'go'"),
        ("workers: 2", "workers: 65", 3, "listen.workers must be from 1 to 64, but is 65"),
        ("127.0.0.1:9001", "unix:///s", 3, "listen.workers must be 1 with a unix socket, which belongs to one process"),
        (
            "envoy_admin: tls",
            "envoy_admin: absent",
            4,
            "listen.envoy_admin must be a folder for admin sockets, but is none",
        ),
    ],
)
def test_a_host_that_cannot_be_is_a_fault(folder: Path, written: str, instead: str, line: int, told: str) -> None:
    """A server that is not known, too many workers, workers on a unix socket, an admin folder that is not there."""
    found, text = fault(folder, written, instead, HOSTED)
    assert (found, text.partition(": /")[0]) == (line, told)


def test_settings_cannot_be_changed_afterwards(folder: Path) -> None:
    """They are read once and shared."""
    read = loaded(folder, SMALLEST)
    with pytest.raises(FrozenInstanceError):
        read.anonymous = "deny"  # type: ignore[misc]


def test_relative_paths_do_not_depend_on_where_the_service_was_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor on how the file was named."""
    (folder / "authz.yaml").write_text(FULL)
    monkeypatch.chdir(folder / "tls")
    assert settings.load(Path("../authz.yaml")).issuers[1].jwks_file == folder / "tls" / ".." / "jwks.json"
    assert settings.load(folder / "authz.yaml").issuers[1].jwks_file == folder / "jwks.json"


def test_absolute_paths_stay(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Kubernetes mounts them elsewhere."""
    other = tmp_path_factory.mktemp("other") / "keys.json"
    other.touch()
    assert loaded(folder, FULL.replace("jwks_file: jwks.json", f"jwks_file: {other}")).issuers[1].jwks_file == other


def test_an_issuer_knows_where_the_file_names_its_keys(folder: Path) -> None:
    """For the message when they cannot be fetched."""
    by_uri, by_file = loaded(folder, FULL).issuers
    assert (by_uri.source, by_uri.line, by_file.line) == (str(folder / "authz.yaml"), 14, 22)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "gateway:65535", "[::]:0", "unix:///run/authz.sock"])
def test_a_grpc_address_is_a_host_and_port_or_a_socket(folder: Path, address: str) -> None:
    """Names resolve when the service listens."""
    assert loaded(folder, FULL.replace("127.0.0.1:9001", f'"{address}"')).listen.grpc == address


@pytest.mark.parametrize(
    "address", ["9001", ":9001", "host", "host:", "host:65536", "::1:9001", "unix:/x", "http://h:1", "a b:1", "host:1 "]
)
def test_an_address_that_is_none_is_a_fault(folder: Path, address: str) -> None:
    """On both listeners."""
    line, text = fault(folder, "127.0.0.1:9001", f'"{address}"')
    assert (line, text) == (2, f"listen.grpc must be host:port or unix:///path, but is {address!r}")
    line, text = fault(folder, '"[::1]:9002"', f'"{address}"')
    assert (line, text) == (3, f"listen.http must be host:port, but is {address!r}")


def test_metrics_are_not_served_on_a_socket_file(folder: Path) -> None:
    """Scrapers and probes speak TCP."""
    assert fault(folder, '"[::1]:9002"', "unix:///run/x.sock")[0] == 3


@pytest.mark.parametrize(
    ("written", "line", "key"),
    [
        ("tls/server.crt", 5, "listen.tls.certificate"),
        ("tls/server.key", 6, "listen.tls.key"),
        ("tls/clients.crt", 7, "listen.tls.client_ca"),
        ("jwks_file: jwks.json", 22, "identity.issuers[1].jwks_file"),
    ],
)
def test_a_file_that_is_missing_is_a_fault(folder: Path, written: str, line: int, key: str) -> None:
    """Found when the configuration is read, not when the first request comes; a folder is no file."""
    for absent in ("absent.pem", "tls"):
        instead = f"jwks_file: {absent}" if written.startswith("jwks") else absent
        assert fault(folder, written, instead) == (line, f"{key} names no file: {folder / absent}")


def test_half_of_a_tls_pair_is_a_fault(folder: Path) -> None:
    """A certificate needs its key."""
    line, text = fault(folder, "    key: tls/server.key\n", "")
    assert (line, text) == (5, "listen.tls.key is missing")


@pytest.mark.parametrize(
    "uri",
    ["http://idp.example/jwks.json", "http://127.0.0.1.evil.example/", "http://localhost@evil.example/", "http://10.0.0.1/",
     "HTTP://idp.example/", "http://localhost.evil.example/"],
)  # fmt: skip
def test_keys_are_not_fetched_over_plain_http_from_elsewhere(folder: Path, uri: str) -> None:
    """Anyone on the way could put in his own."""
    line, text = fault(folder, "https://idp.example/jwks.json", uri)
    assert line == 14
    assert text.startswith("identity.issuers[0].jwks_uri must be https: ")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:8080/jwks", "http://localhost/jwks", "http://[::1]:80/jwks"])
def test_keys_may_come_over_plain_http_from_this_machine(folder: Path, uri: str) -> None:
    """As in development."""
    assert loaded(folder, FULL.replace("https://idp.example/jwks.json", f'"{uri}"')).issuers[0].jwks_uri == uri


@pytest.mark.parametrize(
    "uri", ["ftp://idp.example/", "idp.example/jwks", "file:///jwks.json", "https://", "https:///x", "/jwks"]
)
def test_an_address_of_keys_that_is_no_https_url_is_a_fault(folder: Path, uri: str) -> None:
    """Another scheme is never tried."""
    assert fault(folder, "https://idp.example/jwks.json", uri)[1] == "identity.issuers[0].jwks_uri must be an https URL"


@pytest.mark.parametrize("uri", ["https://[::1/", "https://idp.example:port/", "https://idp.example:99999/"])
def test_an_address_of_keys_that_cannot_be_read_is_a_fault(folder: Path, uri: str) -> None:
    """Not an exception."""
    assert fault(folder, "https://idp.example/jwks.json", f'"{uri}"')[1].endswith("jwks_uri is not a URL")


def test_keys_come_from_one_place(folder: Path) -> None:
    """Neither from none nor from two."""
    needs_one = "identity.issuers[0] needs one of jwks_uri and jwks_file"
    uri = "      jwks_uri: https://idp.example/jwks.json\n"
    assert fault(folder, uri, "") == (11, needs_one)
    assert fault(folder, uri, f"{uri}      jwks_file: jwks.json\n") == (11, needs_one)


@pytest.mark.parametrize("name", ["HS256", "HS384", "HS512", "none"])
def test_symmetric_algorithms_and_none_are_refused(folder: Path, name: str) -> None:
    """Who can verify with a shared secret can also sign."""
    line, text = fault(folder, "[RS256, ES256]", f"[RS256, {name}]")
    assert line == 13
    assert text.startswith(f"identity.issuers[0].algorithms has {name!r}, which is symmetric or none")


@pytest.mark.parametrize("name", ["rs256", "ES256K", "RSA", "None", "*", "RS256 "])
def test_unknown_algorithms_are_refused(folder: Path, name: str) -> None:
    """With those that are known."""
    text = fault(folder, "[RS256, ES256]", f'["{name}"]')[1]
    assert f"has {name!r}, which is not known" in text
    assert all(known in text for known in ALGORITHMS)


def test_every_algorithm_that_is_accepted_is_asymmetric() -> None:
    """RFC 7518's table, less HS and none."""
    assert all(name[:2] in {"RS", "PS", "ES", "Ed"} for name in ALGORITHMS)


@pytest.mark.parametrize(
    ("written", "key"), [("[agent-gateway, other]", "audiences"), ("[RS256, ES256]", "algorithms")]
)
def test_an_issuer_without_audiences_or_algorithms_is_a_fault(folder: Path, written: str, key: str) -> None:
    """An empty list would accept nobody, or, read wrongly, everybody."""
    assert fault(folder, written, "[]")[1] == f"identity.issuers[0].{key} must have at least one item"


def test_an_issuer_may_be_configured_once(folder: Path) -> None:
    """Of two the last would silently win; both places are told."""
    found = faults(folder, FULL.replace("https://file.example", "https://idp.example"))
    assert found == [
        (14, "issuer 'https://idp.example' is configured more than once"),
        (22, "issuer 'https://idp.example' is configured more than once"),
    ]


def test_nobody_could_call_without_issuers(folder: Path) -> None:
    """Unless anybody may."""
    text = SMALLEST.replace("{anonymous: allow}", "{issuers: []}")
    assert faults(folder, text) == [
        (2, "identity.issuers must have at least one item, or nobody can call (anonymous is deny)")
    ]


def test_a_policy_path_that_does_not_exist_is_a_fault(folder: Path) -> None:
    """With the whole path, since it is relative to the file."""
    assert fault(folder, "[rego]", "[rego, absent]") == (
        25,
        f"policy.paths has 'absent', which does not exist ({folder / 'absent'})",
    )


@pytest.mark.parametrize(
    "decision",
    ["decision", "data.agent_gateway.decision", "a/", "/a/b", "a//b", "a/b/", "a-b/c", "a/1b", "a b/c", "a/b\\n"],
)
def test_a_decision_that_is_no_rules_path_is_a_fault(folder: Path, decision: str) -> None:
    """Package and rule, with slashes."""
    line, text = fault(folder, "agent_gateway/decision", f'"{decision}"')
    assert line == 26
    assert text.startswith("policy.decision must be a rule's path such as agent_gateway/decision")


@pytest.mark.parametrize(
    ("written", "instead", "line", "expected"),
    [
        ("  anonymous: deny", "  anonymus: deny", 9, "unknown key 'anonymus' in identity; did you mean 'anonymous'?"),
        (
            "  anonymous: deny",
            "  anonymous: perhaps",
            9,
            "identity.anonymous must be one of deny, allow, but is 'perhaps'",
        ),
        ("policy:\n", "polices: {}\npolicy:\n", 23, "unknown key 'polices'; did you mean 'policy'?"),
        ("  engine: embedded", "  engine: opa", 24, "policy.engine must be one of embedded, but is 'opa'"),
        (
            "    key: tls/server.key",
            "    key: 7",
            6,
            "listen.tls.key must be text, but is a whole number (put it in quotes)",
        ),
        (
            "        user: email",
            "        name: email",
            16,
            "unknown key 'name' in identity.issuers[0].claims; known here: agent, roles, user",
        ),
        (
            "        user: email",
            "        user: [email]",
            16,
            "identity.issuers[0].claims.user must be text, but is a list",
        ),
        ("        user: email", '        user: ""', 16, "identity.issuers[0].claims.user must not be empty"),
        ("[agent-gateway, other]", "agent-gateway", 12, "identity.issuers[0].audiences must be a list, but is text"),
        ("[agent-gateway, other]", "[7]", 12, "identity.issuers[0].audiences[0] must be text, but is a whole number"),
    ],
)
def test_what_is_misspelt_or_of_the_wrong_type_is_a_fault(
    folder: Path, written: str, instead: str, line: int, expected: str
) -> None:
    """Nothing is passed over."""
    assert fault(folder, written, instead) == (line, expected)


@pytest.mark.parametrize("key", ["listen", "identity", "policy"])
def test_no_section_can_be_left_out(folder: Path, key: str) -> None:
    """Its absence is told once for itself; what it must hold follows."""
    text = re.sub(rf"^{key}:.*\n(  .*\n)*", "", FULL, flags=re.MULTILINE)
    assert (1, f"{key} is missing") in faults(folder, text)


def test_all_faults_are_told_at_once_in_the_order_of_their_lines(folder: Path) -> None:
    """One run of the service shows an operator the whole work."""
    text = (
        FULL.replace("127.0.0.1:9001", "nowhere")
        .replace("tls/server.key", "absent.key")
        .replace("[RS256, ES256]", "[HS256]")
        .replace("[EdDSA]", "[]")
        .replace("paths: [rego]", "paths: [absent]")
        .replace("decision: agent", "decison: agent")
    )
    assert [line for line, _ in faults(folder, text)] == [2, 6, 13, 21, 24, 25, 26]


def test_a_file_that_cannot_be_read_at_all_is_one_fault(tmp_path: Path) -> None:
    """Not a list of everything that is missing in it."""
    for text, expected in ((None, "cannot be read"), ("", "is empty"), ("a: [", "is not YAML"), ("- a", "a mapping")):
        path = tmp_path / "x.yaml"
        if text is not None:
            path.write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            settings.load(path)
        assert len(caught.value.faults) == 1
        assert expected in str(caught.value)


def _documented() -> list[str]:
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```ya?ml\n(.*?)```", text, flags=re.DOTALL)
    return [block for block in blocks if re.search(r"^identity:", block, flags=re.MULTILINE)]


@pytest.mark.parametrize("text", _documented())
def test_the_configuration_in_the_readme_loads(tmp_path: Path, text: str) -> None:
    """With the files that it names in place."""
    text = re.sub(r"((?:certificate|key|client_ca|jwks_file): *)/", r"\1", text)
    for name in re.findall(r"\b(?:certificate|key|client_ca|jwks_file): *([^\s,}#]+)", text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    text = re.sub(r"paths: *\[[^\]]*\]", "paths: [rego]", text)
    (tmp_path / "rego").mkdir()
    assert loaded(tmp_path, text).policy.paths == (tmp_path / "rego",)


def with_policy(text: str) -> str:
    """The smallest configuration with another policy section."""
    return SMALLEST[: SMALLEST.index("policy:")] + f"policy:\n{text}"


def test_the_terms_of_an_evaluation_have_defaults_and_can_be_set(folder: Path) -> None:
    """A tenth of a second, errors of built-ins as OPA has them, no tests, nobody to ask."""
    policy = loaded(folder, SMALLEST).policy
    assert (policy.deadline_ms, policy.strict, policy.run_tests, policy.http_send_hosts) == (100, False, False, ())
    text = with_policy(
        "  paths: [rego]\n  decision: a/b\n  deadline_ms: 25\n  builtin_errors: fail\n  tests: run\n"
        "  http_send_hosts: [idp.example, 'pdp.example:8443']\n"
    )
    policy = loaded(folder, text).policy
    assert (policy.deadline_ms, policy.strict, policy.run_tests) == (25, True, True)
    assert policy.http_send_hosts == ("idp.example", "pdp.example:8443")


def test_policies_may_come_as_a_bundle_from_a_file(folder: Path) -> None:
    """With how its signature is verified."""
    for name in ("bundle.tar.gz", "bundle.pem"):
        (folder / name).touch()
    text = with_policy(
        "  decision: a/b\n  bundle:\n    file: bundle.tar.gz\n"
        "    verification: {key_file: bundle.pem, algorithm: ES256, key_id: k1, scope: write}\n"
    )
    bundle = loaded(folder, text).policy.bundle
    assert bundle is not None
    assert (bundle.file, bundle.url) == (folder / "bundle.tar.gz", None)
    found = bundle.verification
    assert found is not None
    assert (found.key_file, found.algorithm) == (folder / "bundle.pem", "ES256")
    assert (found.key_id, found.scope) == ("k1", "write")


def test_policies_may_come_as_a_bundle_from_a_url(folder: Path) -> None:
    """Asked every half minute, unless told otherwise."""
    (folder / "token").touch()
    text = with_policy("  decision: a/b\n  bundle: {url: 'https://p.example/b.tar.gz', token_file: token}\n")
    bundle = loaded(folder, text).policy.bundle
    assert bundle is not None
    assert (bundle.file, bundle.url, bundle.poll_seconds) == (None, "https://p.example/b.tar.gz", 30)
    assert (bundle.token_file, bundle.verification) == (folder / "token", None)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("  decision: a/b\n  bundle: {}\n", 5, "policy.bundle needs one of file and url"),
        ("  decision: a/b\n  bundle: {file: absent}\n", 5, "policy.bundle.file names no bundle"),
        ("  decision: a/b\n  bundle: {url: 'http://p.example/b'}\n", 5, "policy.bundle.url must be https"),
        ("  decision: a/b\n  bundle: {url: 'ftp://p.example/b'}\n", 5, "policy.bundle.url must be an https URL"),
        ("  decision: a/b\n  paths: [rego]\n  bundle: {url: 'https://p.example/b'}\n", 5, "policy.paths and bundle"),
        ("  decision: a/b\n  tests: run\n  bundle: {url: 'https://p.example/b'}\n", 5, "policy.tests can be run for"),
        ("  decision: a/b\n  paths: [rego]\n  deadline_ms: 0\n", 6, "policy.deadline_ms must be"),
        ("  decision: a/b\n  paths: [rego]\n  http_send_hosts: ['http://x/']\n", 6, "policy.http_send_hosts must hold"),
        ("  decision: a/b\n", 4, "policy.paths"),
    ],
)
def test_a_policy_section_that_makes_no_sense_is_a_fault_with_its_line(
    folder: Path, text: str, line: int, told: str
) -> None:
    """And only one."""
    found = faults(folder, with_policy(text))
    assert [(number, shown[: len(told)]) for number, shown in found] == [(line, told)]
