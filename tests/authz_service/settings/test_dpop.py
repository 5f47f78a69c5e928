"""On what terms DPoP proofs are accepted, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.identity.nonces import MIN_SECRET_BYTES, Nonces
from authz_service.settings.dpop import ALGORITHMS, MAX_ORIGINS, MAX_SECRET_BYTES, DpopSettings, read_dpop
from tests.authz_service.settings.sections import section_faults, section_read

SECRET = b"s" * MIN_SECRET_BYTES
SMALLEST = "dpop: {origins: [https://api.example]}\n"
FULL = """\
dpop:
  origins: [https://api.example, "https://Other.example:8443/"]
  algorithms: [ES256, EdDSA]
  max_age_seconds: 30
  skew_seconds: 0
  nonce_secret_file: nonce.key
  replay: memory
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a secret."""
    (tmp_path / "nonce.key").write_bytes(b"\n " + SECRET + b"\r\n")
    return tmp_path


def loaded(folder: Path, text: str) -> DpopSettings:
    """The settings."""
    return section_read(folder, text, lambda root: read_dpop(root.section("dpop"), folder))


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    """What is wrong with a section."""
    return section_faults(folder, text, lambda root: read_dpop(root.section("dpop"), folder))


def fault(folder: Path, written: str, instead: str) -> tuple[int, str]:
    """The only fault of a section in which something else is written."""
    assert FULL.count(written) == 1
    (found,) = faults(folder, FULL.replace(written, instead))
    return found


def test_everything_may_be_said(folder: Path) -> None:
    """And is read as it is meant; space around the secret is the editor's."""
    assert loaded(folder, FULL) == DpopSettings(
        origins={"api.example": "https://api.example", "other.example": "https://other.example:8443"},
        algorithms=("ES256", "EdDSA"),
        max_age_seconds=30,
        skew_seconds=0,
        nonce_secret=SECRET,
        replay="memory",
    )


def test_only_the_origins_have_to_be_said(folder: Path) -> None:
    """A minute, five seconds, no nonces, and one store for every replica."""
    assert loaded(folder, SMALLEST) == DpopSettings(
        {"api.example": "https://api.example"}, ("ES256", "EdDSA", "PS256", "RS256"), 60, 5, None, "valkey"
    )


@pytest.mark.parametrize(
    ("written", "host", "origin"),
    [
        ("https://API.example", "api.example", "https://api.example"),
        ("https://api.example:443/", "api.example", "https://api.example"),
        ("https://api.example.", "api.example", "https://api.example"),
        ("http://localhost:8080", "localhost", "http://localhost:8080"),
        ("https://[2001:DB8::1]:8443", "[2001:db8::1]", "https://[2001:db8::1]:8443"),
        ("https://10.0.0.1", "10.0.0.1", "https://10.0.0.1"),
    ],
)
def test_an_origin_is_found_by_its_host(folder: Path, written: str, host: str, origin: str) -> None:
    """As a request names it, without port."""
    assert loaded(folder, f'dpop: {{origins: ["{written}"]}}').origins == {host: origin}


@pytest.mark.parametrize(
    "origin",
    ["api.example", "//api.example", "ftp://api.example", "https://api.example/path", "https://api.example/a/..b",
    "https://api.example?x",
     "https://api.example/?", "https://api.example#x", "https://user@api.example", "https://", "https:///x",
     "https://api.example:x",
     "https://*.example", "https://api example", "https://zürich.example"],
)  # fmt: skip
def test_what_is_no_origin_is_a_fault(folder: Path, origin: str) -> None:
    """A path least of all: it would be put before every request's."""
    assert fault(folder, "https://api.example,", f'"{origin}",') == (
        2,
        f"dpop.origins must hold origins such as https://api.example, but has {origin!r}",
    )


@pytest.mark.parametrize(
    "other", ["http://api.example", "https://api.example", "https://API.example.", "https://api.example:8443"]
)
def test_a_host_has_one_origin(folder: Path, other: str) -> None:
    """Otherwise a proof could be for either."""
    assert fault(folder, '"https://Other.example:8443/"', f'"{other}"') == (
        2,
        "dpop.origins has two origins with the host 'api.example'",
    )


def test_without_origins_no_proof_could_hold(folder: Path) -> None:
    """So they are required."""
    assert faults(folder, "dpop: {origins: []}") == [(1, "dpop.origins must have at least one item")]
    assert faults(folder, "dpop: {skew_seconds: 1}") == [(1, "dpop.origins is missing")]
    assert faults(folder, "dpop: {origins: https://api.example}") == [(1, "dpop.origins must be a list, but is text")]


def test_so_many_origins_may_there_be_and_no_more(folder: Path) -> None:
    """Each is a line of the configuration."""
    origins = [f"https://h{n}.example" for n in range(MAX_ORIGINS + 1)]
    assert len(loaded(folder, f"dpop: {{origins: [{', '.join(origins[1:])}]}}").origins) == MAX_ORIGINS
    assert faults(folder, f"dpop: {{origins: [{', '.join(origins)}]}}") == [
        (1, f"dpop.origins must have at most {MAX_ORIGINS} items")
    ]


@pytest.mark.parametrize("name", ["HS256", "none", "es256", "ES256K", "RSA-OAEP", "*"])
def test_an_algorithm_that_is_not_asymmetric_is_a_fault(folder: Path, name: str) -> None:
    """With those that there are."""
    line, text = fault(folder, "[ES256, EdDSA]", f'[ES256, "{name}"]')
    assert (line, text) == (3, f"dpop.algorithms has {name!r}, which is not one of {', '.join(ALGORITHMS)}")


def test_an_empty_list_of_algorithms_is_a_fault(folder: Path) -> None:
    """It could mean all or none."""
    assert fault(folder, "[ES256, EdDSA]", "[]") == (3, "dpop.algorithms must have at least one item")


@pytest.mark.parametrize(
    ("key", "written", "line", "bounds"),
    [("max_age_seconds", "30", 4, (5, 600)), ("skew_seconds", "0", 5, (0, 60))],
)
def test_times_have_bounds(folder: Path, key: str, written: str, line: int, bounds: tuple[int, int]) -> None:
    """The longer a proof holds, the more has to be remembered."""
    for value in bounds:
        assert getattr(loaded(folder, FULL.replace(f"{key}: {written}", f"{key}: {value}")), key) == value
    for value in (bounds[0] - 1, bounds[1] + 1):
        found = fault(folder, f"{key}: {written}", f"{key}: {value}")
        assert found == (line, f"dpop.{key} must be from {bounds[0]} to {bounds[1]}, but is {value}")


@pytest.mark.parametrize("size", [0, 1, MIN_SECRET_BYTES - 1, MAX_SECRET_BYTES + 1, 1_000_000])
def test_a_secret_that_is_too_short_or_too_long_is_a_fault(folder: Path, size: int) -> None:
    """And is not shown."""
    (folder / "nonce.key").write_bytes(b"s" * size + b"\n")
    (found,) = faults(folder, FULL)
    assert found == (6, "dpop.nonce_secret_file must hold 32 to 4096 bytes, as of `openssl rand -base64 48`")


@pytest.mark.parametrize("size", [MIN_SECRET_BYTES, 64, MAX_SECRET_BYTES])
def test_a_secret_of_a_right_size_makes_nonces(folder: Path, size: int) -> None:
    """Both bounds included."""
    (folder / "nonce.key").write_bytes(b"s" * size)
    secret = loaded(folder, FULL).nonce_secret
    assert secret == b"s" * size
    assert Nonces(secret).current(0.0)


def test_a_secret_that_is_not_there_is_a_fault(folder: Path) -> None:
    """Neither is a folder one."""
    assert fault(folder, "nonce.key", "no.key") == (6, f"dpop.nonce_secret_file names no file: {folder / 'no.key'}")
    (folder / "keys").mkdir()
    assert fault(folder, "nonce.key", "keys") == (6, f"dpop.nonce_secret_file names no file: {folder / 'keys'}")
    assert fault(folder, "nonce.key", '""') == (6, "dpop.nonce_secret_file must not be empty")


def test_a_secret_that_cannot_be_read_is_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an exception."""

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (folder / "section.yaml").write_text(FULL)
    usual = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *rest, **more: (refused if path.name == "nonce.key" else usual)(path, *rest, **more)
    )
    assert faults(folder, FULL) == [(6, "dpop.nonce_secret_file cannot be read: Permission denied")]


@pytest.mark.parametrize("word", ["redis", "none", "Memory", ""])
def test_there_are_two_kinds_of_replay_store(folder: Path, word: str) -> None:
    """And no way to have none."""
    assert fault(folder, "replay: memory", f'replay: "{word}"') == (
        7,
        f"dpop.replay must be one of valkey, memory, but is {word!r}",
    )


def test_all_faults_are_told_at_once(folder: Path) -> None:
    """Unknown keys among them."""
    text = (
        FULL.replace("max_age_seconds: 30", "max_age: 30")
        .replace("[ES256, EdDSA]", "[HS256]")
        .replace("memory", "disk")
    )
    assert [line for line, _ in faults(folder, text)] == [3, 4, 7]
