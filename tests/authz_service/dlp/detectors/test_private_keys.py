"""Private keys in text."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.detectors.private_keys import DETECTORS
from authz_service.dlp.scan import Scanner
from authz_service.dlp.views.json_text import JsonView
from tests.authz_service.dlp.detectors.surroundings import (
    BASE64,
    HEX,
    around,
    finder,
    near_misses,
    random_text,
    randoms,
)

found = finder(DETECTORS)
SCANNER = Scanner(DETECTORS)
KINDS = ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "]
LINE_ENDS = ["\n", "\r\n", " ", "\\n", "\\r\\n", "\0\0n", "\\\\n", "\n    ", "\n> "]


def pem(source: random.Random, kind: str = "", end: str = "\n", lines: int = 20, headers: tuple[str, ...] = ()) -> str:
    body = [random_text(source, 64, BASE64) for _ in range(lines)] + [random_text(source, 30, BASE64) + "=="]
    name = f"{kind}{'PRIVATE'} KEY"
    return end.join([f"-----BEGIN {name}-----", *headers, *body, f"-----END {name}-----"])


@given(st.sampled_from(KINDS), st.sampled_from(LINE_ENDS), st.integers(0, 60), randoms(), around())
def test_a_key_is_one_span_from_its_first_line_to_its_last(
    kind: str, end: str, lines: int, source: random.Random, sides: tuple[str, str]
) -> None:
    """Of each kind, with line ends in each way of writing them."""
    key = pem(source, kind, end, lines)
    assert found(key.join(sides)) == [("private_key_pem", key)]
    assert found(f"{key}{end}{key}") == [("private_key_pem", key)] * 2


@given(randoms(), st.sampled_from([", ", ",\n  ", ","]))
def test_the_key_of_a_service_account_has_a_name_of_its_own(source: random.Random, comma: str) -> None:
    """It stands behind its id in the file that Google Cloud gives out."""
    key, account = pem(source, end="\\n"), random_text(source, 40, HEX)
    text = f'{{"type": "service_account", "private_key_id": "{account}"{comma}"private_key": "{key}\\n"}}'
    assert found(text) == [("gcp_service_account_key", key)]
    assert found(f'"private_key": "{key}"') == [("private_key_pem", key)]


def test_the_headers_of_an_encrypted_key_are_part_of_it() -> None:
    """RFC 1421's."""
    headers = ("Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF", "")
    key = pem(random.Random(1), "RSA ", headers=headers)
    assert found(f"see\n{key}\nthere") == [("private_key_pem", key)]


def test_a_key_of_pgp_is_found_with_its_headers() -> None:
    """They may be any text."""
    block = pem(
        random.Random(2), headers=("Version: GnuPG v2.0.22 (GNU/Linux)", "Comment: https://gpg.example/?x=<1>", "")
    )
    key = block.replace("BEGIN PRIVATE KEY", "BEGIN PGP PRIVATE KEY BLOCK").replace(
        "END PRIVATE KEY", "END PGP PRIVATE KEY BLOCK"
    )
    assert found(f"a {key} b") == [("private_key_pgp", key)]


def test_a_key_of_putty_is_found_from_its_private_lines() -> None:
    """The public half stays."""
    lines = f"Private-{'Lines'}: 2\n" + "\n".join(random_text(random.Random(3), 64, BASE64) for _ in range(2))
    text = f"PuTTY-User-Key-File-3: ssh-rsa\nPublic-Lines: 1\nAAAAB3Nza\n{lines}\nPrivate-MAC: 00ff"
    assert found(text) == [("private_key_putty", f"{lines}\nPrivate-MAC:")]


@given(randoms(), st.integers(20, 1_000))
def test_a_key_that_is_cut_short_is_taken_as_far_as_it_goes(source: random.Random, length: int) -> None:
    """Half a key is half a secret."""
    key = pem(source)
    cut = key[: 27 + 1 + length]
    (_, taken) = found(f'"{cut}"')[0]
    assert taken == cut.removesuffix("-----END")


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_key_in_json_within_json_is_found(depth: int) -> None:
    """As in the arguments of a tool, which a model writes as a string."""
    key = pem(random.Random(5))
    body = key
    for _ in range(depth):
        body = json.dumps({"private_key_id": "0" * 40, "private_key": body} if body == key else {"arguments": body})
    text = b"".join(piece.text for piece in JsonView().feed(body.encode()))
    (name, taken), *others = found(text.decode())
    assert name == "gcp_service_account_key"
    assert taken.count("PRIVATE KEY-----") == 2
    assert not others


def test_a_key_is_taken_as_far_as_64_kibibytes_and_what_follows_is_no_key() -> None:
    """Nothing is that long."""
    text = f"-----BEGIN {'PRIVATE'} KEY-----\n" + random_text(random.Random(4), 80_000, BASE64)
    assert [len(taken) for _, taken in found(text)] == [64 * 1024]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "A file with -----BEGIN RSA PRIVATE KEY----- in its first line", "-----BEGIN PRIVATE KEY-----\n<your key here>",
        "-----BEGIN PUBLIC KEY-----\n" + "a1B2" * 20, "-----BEGIN CERTIFICATE-----\n" + "a1B2" * 20,
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n" + "a1B2" * 20, "-----BEGIN PGP MESSAGE-----\n" + "a1B2" * 20,
        "----BEGIN PRIVATE KEY----\n" + "a1B2" * 20, "-----BEGIN PRIVATE KEY-----" * 20, "Private-Lines: many",
        "if text.startswith('-----BEGIN PRIVATE KEY-----'):",
    ],
)  # fmt: skip
def test_a_line_about_keys_is_none(text: str) -> None:
    """Nor is a public one."""
    assert found(text) == []


@given(randoms())
def test_nothing_is_found_in_what_is_no_key(source: random.Random) -> None:
    assert [(text, found(text)) for text in near_misses(source) if found(text)] == []


JOINTS = ['\\n" +\n    "', "\\n'\n    + '", '\\n"\n    "', '\\r\\n" .\n"', '" \\\n"', "\\n` +\n`", '"+"']


@given(st.sampled_from(KINDS), st.sampled_from(JOINTS), st.integers(0, 40), randoms())
def test_a_key_that_a_program_writes_as_strings_is_one_span(
    kind: str, joint: str, lines: int, source: random.Random
) -> None:
    """Line by line, joined by an operator or by the compiler."""
    key, name = pem(source, kind, joint, lines), "program" if '"' in joint else "quotes"
    for text in (f"String pem = {joint[-1]}{key}{joint[-1]};", f"({joint[-1]}{key}\\n{joint[-1]})"):
        assert found(text) == [(f"private_key_in_{name}", key)]


@pytest.mark.parametrize("depth", range(4))
@pytest.mark.parametrize("joint", JOINTS)
def test_a_key_of_a_program_is_found_in_json_too_and_its_quotes_are_left(joint: str, depth: int) -> None:
    """As an agent hands a file on, whole or cut, in strings of strings too."""
    key = pem(random.Random(7), "RSA ", joint)
    for cut in (key, key.replace("-----END RSA PRIVATE KEY-----", "")):
        document: object = f"pem = {joint[-1]}{cut}{joint[-1]};"
        for _ in range(depth):
            document = json.dumps({"content": document})
        redactor = BodyRedactor(JsonView(), SCANNER, lambda _: b"-")
        out = redactor.feed(json.dumps({"content": document, "next": "x"}).encode()) + redactor.finish()
        left = json.loads(out)
        assert left["next"] == "x"
        for _ in range(depth):
            left = json.loads(left["content"])
        assert len(left["content"]) < len("pem = ") + 8


@pytest.mark.parametrize("comma", [",", ", ", ",\n  "])
def test_the_structure_of_json_is_no_part_of_a_key(comma: str) -> None:
    """A list of lines is not joined, and a redaction would break it."""
    lines = pem(random.Random(7)).split("\n")
    assert found(comma.join(f'"{line}"' for line in lines)) == []
