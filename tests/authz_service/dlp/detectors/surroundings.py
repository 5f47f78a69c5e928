"""What the tests of detectors put around a value, and what they look for in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from authz_service.dlp.detectors import Detector
from authz_service.dlp.scan import Scanner

DIGITS = "0123456789"
SMALL = "abcdefghijklmnopqrstuvwxyz"
HEX = DIGITS + "abcdef"
BASE62 = DIGITS + SMALL + SMALL.upper()
BASE64 = BASE62 + "+/"
BASE64URL = BASE62 + "-_"

# Nothing here joins a token on either side, and nothing names one.
BEFORE = ("", " ", "\n", "x=", '{"a": "', "see (", "é", "<p>", "https://h.example/?q=", "a, ", "\t'", "[", "\xa0")
AFTER = ("", " ", "\n", "&y=2", '", "b": 1}', ") then", "é", "</p>", "; more", ", a", "'", "]", "\xa0")
Find = Callable[[str], list[tuple[str, str]]]


def finder(detectors: Sequence[Detector]) -> Find:
    """Return what finds names of detectors and the texts that they take."""
    scanner = Scanner(detectors)

    def found(text: str) -> list[tuple[str, str]]:
        data = text.encode()
        assert scanner.suspects(data) or not scanner.scan(data)
        return [(span.detector.name, data[span.start : span.end].decode()) for span in scanner.scan(data)]

    return found


def random_text(source: random.Random, length: int, alphabet: str = BASE62) -> str:
    """What a machine would make up: at least one digit and letters of both cases, where the alphabet has them."""
    kinds = [set(kind) & set(alphabet) for kind in (DIGITS, SMALL, SMALL.upper())]
    while True:
        text = "".join(source.choices(alphabet, k=length))
        if all(not kind or kind & set(text) for kind in kinds):
            return text


def randoms() -> st.SearchStrategy[random.Random]:
    """A source of made-up values. Hypothesis's own strategies shrink to texts that look made by hand."""
    return st.integers(0, 2**32 - 1).map(random.Random)


def around() -> st.SearchStrategy[tuple[str, str]]:
    """What stands before and behind a value."""
    return st.tuples(st.sampled_from(BEFORE), st.sampled_from(AFTER))


def near_misses(source: random.Random) -> list[str]:
    """What is random, long and no secret: hashes, numbers, base64, lock files, programs."""
    sha1, sha256, md5 = (random_text(source, length, HEX) for length in (40, 64, 32))
    base64 = random_text(source, 400, BASE64)
    uuid = "-".join(random_text(source, length, HEX) for length in (8, 4, 4, 4, 12))
    number = source.randrange(10**12, 10**13)
    word = source.choice(["access_token_type", "getAuthTokenProvider", "passwordResetRequested", "secret_manager_path"])
    return [
        f"commit {sha1}",
        f"index {sha1[:10]}..{sha256[:10]} 100644",
        f"sha256:{sha256}",
        f'"etag": "{md5}"',
        f"{md5}  archive.tar.gz",
        f'"integrity": "sha512-{random_text(source, 86, BASE64)}==",',
        f'"integrity": "sha1-{random_text(source, 27, BASE64)}="',
        f"h1:{random_text(source, 43, BASE64)}=",
        f'"checksum" = "{sha256}"',
        f'"id": "{uuid}", "trace_id": "{md5}"',
        f"urn:uuid:{uuid}",
        f"<img src='data:image/png;base64,{base64}'>",
        f'"thumbnail": "{base64}"',
        f"order {number} at 2024-05-0{source.randrange(1, 10)}T10:11:12.{source.randrange(1000):03}Z",
        f"token_expires_at={number}",
        f'{{"token_type": "Bearer", "expires_in": {source.randrange(9999)}}}',
        f"api_key_id: {source.randrange(99)}",
        f'"secret_id": "{uuid}"',
        f"password_hash: {sha256}",
        f'"nextPageToken": "{random_text(source, 48, BASE64URL)}"',
        f"import {{ {word} }} from './{word}';",
        f"var a=function(t,e){{return t.{word}(e)||0}};function {word}2(n){{return!n&&void 0===n}}",
        f"tokens.{word}(authorization={word}_{source.randrange(9)})",
        f"https://h.example/{word}/{sha1}?page={number}",
        f"arn:aws:iam::{source.randrange(10**11, 10**12)}:role/{word}",
        f"eyJust{random_text(source, 20)}.example.com",
        f"eyJ{random_text(source, 30)}.{random_text(source, 30)}.{random_text(source, 30)}",
        f"the password is between {source.randrange(8, 16)} and 128 characters long",
        "-----BEGIN CERTIFICATE-----\n" + base64 + "\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\n" + base64 + "\n-----END PUBLIC KEY-----",
        "A file with -----BEGIN PRIVATE KEY----- in its first line is to be kept.",
    ]
