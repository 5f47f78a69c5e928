"""The configuration file as a whole: what it may say, and every fault with its place."""

from __future__ import annotations

import base64
import re
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from authz_service import settings
from authz_service.identity.claims import ClaimNames
from service_kit.faults import ConfigurationError
from service_kit.listening import Server
from tests.authz_service.settings.configured import FULL, SMALLEST, fault, faults, loaded

ROOT = Path(__file__).parents[3]


def _documented() -> list[str]:
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```ya?ml\n(.*?)```", text, flags=re.DOTALL)
    return [block for block in blocks if re.search(r"^identity:", block, flags=re.MULTILINE)]


def test_everything_that_can_be_said_is_read(folder: Path) -> None:
    """Paths are relative to the file's folder."""
    read = loaded(folder, FULL)
    assert (read.listen.grpc, read.listen.http) == ("127.0.0.1:9001", "[::1]:9002")
    assert read.listen.tls is not None
    assert read.listen.tls.certificate == folder / "tls" / "server.crt"
    assert read.listen.tls.key == folder / "tls" / "server.key"
    assert read.listen.tls.client_ca == folder / "tls" / "clients.crt"
    assert read.identity.anonymous == "deny"
    by_uri, by_file = read.identity.issuers
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
    assert (read.listen.tls, read.identity.issuers, read.identity.anonymous) == (None, (), "allow")
    assert loaded(folder, FULL.replace("  anonymous: deny\n", "")).identity.anonymous == "deny"


def test_settings_cannot_be_changed_afterwards(folder: Path) -> None:
    """They are read once and shared."""
    read = loaded(folder, SMALLEST)
    with pytest.raises(FrozenInstanceError):
        read.policy = read.policy  # type: ignore[misc]


def test_relative_paths_do_not_depend_on_where_the_service_was_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor on how the file was named."""
    (folder / "authz.yaml").write_text(FULL)
    monkeypatch.chdir(folder / "tls")
    assert settings.load(Path("../authz.yaml")).identity.issuers[1].jwks_file == folder / "tls" / ".." / "jwks.json"
    assert settings.load(folder / "authz.yaml").identity.issuers[1].jwks_file == folder / "jwks.json"


def test_absolute_paths_stay(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Kubernetes mounts them elsewhere."""
    other = tmp_path_factory.mktemp("other") / "keys.json"
    other.touch()
    assert (
        loaded(folder, FULL.replace("jwks_file: jwks.json", f"jwks_file: {other}")).identity.issuers[1].jwks_file
        == other
    )


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
        ("  engine: embedded", "  engine: wasm", 24, "policy.engine must be one of embedded, opa, but is 'wasm'"),
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
            "unknown key 'name' in identity.issuers[0].claims; known here: agent, roles, tenant, user",
        ),
        (
            "        user: email",
            "        user: [email]",
            16,
            "identity.issuers[0].claims.user must be text, but is a list",
        ),
        ("        user: email", '        user: ""', 16, "identity.issuers[0].claims.user must not be empty"),
        (
            "[agent-gateway, other]",
            "agent-gateway",
            12,
            "identity.issuers[0].audiences must be a list, but is text",
        ),
        (
            "[agent-gateway, other]",
            "[7]",
            12,
            "identity.issuers[0].audiences[0] must be text, but is a whole number",
        ),
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


DPOP = SMALLEST.replace("{anonymous: allow}", "{anonymous: allow, dpop: {origins: ['https://a.example']%s}}")


def test_used_proofs_are_kept_where_all_who_could_take_them_look(folder: Path) -> None:
    """In Valkey, or in the only process that there is."""
    assert faults(folder, DPOP % "") == [
        (2, "identity.dpop.replay is valkey, which needs a section valkey; for a single process: memory")
    ]
    assert loaded(folder, DPOP % "" + "valkey: {url: 'localhost:6379'}\n").valkey is not None
    assert loaded(folder, DPOP % ", replay: memory").valkey is None
    several = (DPOP % ", replay: memory").replace('"localhost:0"', '"localhost:0", workers: 2')
    assert faults(folder, several) == [
        (2, "identity.dpop.replay is memory, which is of one process, and listen.workers starts more: use valkey")
    ]


def test_several_workers_that_write_hashes_need_one_key_for_them(folder: Path) -> None:
    """Each would make one up, and the same value would have another hash in each."""
    hashing = SMALLEST + "dlp:\n  actions: [{action: mask}, {action: hash, entities: [us_ssn]}]\n"
    several = hashing.replace('"localhost:0"', '"localhost:0", workers: 2')
    text = "dlp.actions has hash, and listen.workers starts processes that need one key for it: name hash_key_file"
    assert faults(folder, several) == [(hashing.count("\n"), text)]
    assert loaded(folder, hashing).listen.workers == 1
    assert loaded(folder, several.replace("hash,", "mask,")).listen.workers == 2
    (folder / "key").write_bytes(base64.b64encode(bytes(32)))
    assert loaded(folder, several + "  hash_key_file: key\n").dlp.hash_key == bytes(32)
