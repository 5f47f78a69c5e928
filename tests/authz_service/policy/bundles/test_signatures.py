"""Signatures of bundles: what holds, and every way in which one does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz_service.policy.bundles import signatures as verifying
from authz_service.policy.bundles.keys import PUBLIC_ALGORITHMS, SignatureTerms, VerificationKey
from authz_service.policy.bundles.signatures import SIGNATURES, signature_faults
from tests.authz_service.minting import SigningKey, compact, encoded, key
from tests.authz_service.policy.bundles.bundling import listing, signatures, signed, terms

FILES = {"plan.json": b"{ }", "data.json": b'{"a":1}', ".manifest": b'{"roots":[""]}', "a/main.rego": b"package a"}
SECRET = "s" * 64


def faults(files: dict[str, bytes], asked: SignatureTerms | None = None) -> list[str]:
    """Why the files do not hold."""
    return sorted(str(fault) for fault in signature_faults(files, asked or terms(), "b"))


def with_token(token: Any) -> dict[str, bytes]:
    """The files with some signature."""
    return {**FILES, SIGNATURES: json.dumps({"signatures": [token]}).encode()}


def problem(payload: Any, asked: SignatureTerms | None = None, **headers: Any) -> str:
    """Why a signature over this payload does not hold; one reason."""
    (fault,) = faults({**FILES, SIGNATURES: signatures(payload, **headers)}, asked)
    return fault


@pytest.mark.parametrize("algorithm", PUBLIC_ALGORITHMS)
def test_a_bundle_that_is_signed_with_a_known_key_holds(algorithm: str) -> None:
    signer = key(algorithm)
    assert faults(signed(FILES, signer), terms(signer)) == []


def test_a_secret_can_be_a_key_too() -> None:
    signer = SigningKey(SECRET.encode(), "HS256", "k1")
    asked = SignatureTerms({"k1": VerificationKey("HS256", SECRET)})
    assert faults(signed(FILES, signer), asked) == []
    other = SignatureTerms({"k1": VerificationKey("HS256", SECRET[::-1].replace("s", "t"))})
    assert "does not hold" in faults(signed(FILES, signer), other)[0]


def test_a_value_counts_and_not_how_it_is_written() -> None:
    files = signed(FILES)
    files["data.json"] = b' { "a" : 1 }\n'
    assert faults(files) == []
    files["plan.json"] = b"{}"
    assert faults(files) == ["b/plan.json: is not the file that was signed: its digest is another"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_changed_is_told(name: str) -> None:
    files = signed(FILES)
    files[name] = b'{"evil":1}'
    assert faults(files) == [f"b/{name}: is not the file that was signed: its digest is another"]


def test_files_that_were_added_or_taken_away_are_told() -> None:
    files = signed(FILES)
    files["evil.rego"] = files.pop("a/main.rego")
    files["sub/.signatures.json"] = files[SIGNATURES]
    assert faults(files) == [
        "b/.signatures.json: lists the file 'a/main.rego', which is not there",
        "b/evil.rego: is not signed: .signatures.json does not list it",
        "b/sub/.signatures.json: is not signed: .signatures.json does not list it",
    ]


def test_a_structured_file_that_cannot_be_read_is_told_with_its_line() -> None:
    assert faults({**signed(FILES), "data.json": b"{\n,"})[0].startswith("b/data.json:2: is not JSON")


def test_a_bundle_without_a_signature_is_told() -> None:
    assert faults(dict(FILES)) == ["b: is not signed: it has no .signatures.json (`opa build --signing-key`)"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", ":1: is not JSON"),
        (b"{\n", ":2: is not JSON"),
        (b"[]", "exactly one signature"),
        (b"{}", "exactly one signature"),
        (b'{"signatures": []}', "exactly one signature"),
        (b'{"signatures": ["a", "b"]}', "exactly one signature"),
        (b'{"signatures": [1]}', "exactly one signature"),
        (b'{"signatures": "a"}', "exactly one signature"),
        (b'{"signatures": ["a"], "plugin": "mine"}', "plugin"),
        (b'{"signatures": ["a"], "plugin": [1]}', "plugin"),
        (b'{"signatures": ["a"], "plugin": "_default"}', "is no signed token"),
        (b'{"signatures": ["a.b.c"]}', "is no signed token"),
        (b'{"signatures": ["\xc3\xa9.b.c"]}', "is no signed token"),
        (b'{"signatures": [""]}', "is no signed token"),
    ],
)
def test_a_signatures_file_that_is_none_is_told(text: bytes, expected: str) -> None:
    (fault,) = faults({**FILES, SIGNATURES: text})
    assert fault.startswith("b/.signatures.json:")
    assert expected in fault


def test_the_signatures_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "MAX_SIGNATURES_BYTES", 10)
    assert faults(signed(FILES)) == ["b/.signatures.json: is larger than 10 bytes"]


# Keys and algorithms


def test_another_key_does_not_count() -> None:
    assert "does not hold" in faults(signed(FILES, key(number=1)))[0]


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_a_token_without_a_signature_does_not_hold(algorithm: str) -> None:
    header, payload = {"alg": algorithm, "kid": "k1"}, {"files": listing(FILES)}
    for token in (compact(header, payload, lambda _: b""), f"{encoded(header)}.{encoded(payload)}"):
        assert len(faults(with_token(token))) == 1


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_secret_to_sign_with(algorithm: str) -> None:
    """The classic confusion: an HMAC made with the PEM that everybody knows."""
    pem, payload = key().public_pem(), {"files": listing(FILES)}
    for secret in (pem, pem.strip()):
        token = compact(
            {"alg": algorithm, "kid": "k1"},
            payload,
            lambda text, secret=secret: hmac.digest(secret, text, f"sha{algorithm[2:]}"),  # type: ignore[misc]
        )
        assert "but the key 'k1' is for ES256" in faults(with_token(token))[0]


def test_the_key_decides_which_algorithm_counts() -> None:
    signer = key("RS256")
    files = signed(FILES, SigningKey(signer.private, "RS512", "k1"))
    assert faults(files, terms(signer)) == ["b/.signatures.json: is signed with 'RS512', but the key 'k1' is for RS256"]


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "crit", "b64"])
def test_a_token_brings_no_keys_or_extensions(name: str) -> None:
    value = {"jwk": key().public_jwk(), "crit": ["b64"], "b64": True}.get(name, "https://evil.example/")
    token = key().sign_raw({"alg": "ES256", "kid": "k1", name: value}, {"files": listing(FILES)})
    assert len(faults(with_token(token))) == 1


def both(key_id: str = "") -> SignatureTerms:
    """Terms with two keys."""
    keys = {f"k{n}": VerificationKey("ES256", key(number=n).public_pem().decode()) for n in (0, 1)}
    return SignatureTerms(keys, key_id)


def test_a_token_names_its_key() -> None:
    """In its header, or as older signers do in its payload."""
    payload = {"files": listing(FILES)}
    zero, one = key(number=0), key(number=1)
    assert faults({**FILES, SIGNATURES: signatures(payload, one, kid="k1")}, both()) == []
    assert faults({**FILES, SIGNATURES: signatures({**payload, "keyid": "k1"}, one, kid="")}, both()) == []
    assert "does not hold" in faults({**FILES, SIGNATURES: signatures(payload, zero, kid="k1")}, both())[0]
    assert faults({**FILES, SIGNATURES: signatures({**payload, "keyid": "k0"}, one, kid="k1")}, both()) == []


def test_the_configured_key_id_counts_before_the_tokens() -> None:
    payload = {"files": listing(FILES)}
    assert faults({**FILES, SIGNATURES: signatures(payload, key(number=1), kid="k0")}, both("k1")) == []
    assert "does not hold" in faults({**FILES, SIGNATURES: signatures(payload, key(number=0), kid="k0")}, both("k1"))[0]


@pytest.mark.parametrize("kid", ["", "k9", "K1", "x" * 10_000])
def test_a_key_that_is_not_known_is_told(kid: str) -> None:
    (fault,) = faults({**FILES, SIGNATURES: signatures({"files": listing(FILES)}, kid=kid)}, both())
    assert "which is not known here" in fault
    assert len(fault) < 200


def test_the_only_key_needs_no_name() -> None:
    assert faults({**FILES, SIGNATURES: signatures({"files": listing(FILES)}, kid="")}) == []


@pytest.mark.parametrize("kid", [1, ["k1"], {"k1": 1}, True])
def test_a_key_id_is_text(kid: Any) -> None:
    """What a header may hold is not for its writer alone to decide."""
    token = key().sign_raw({"alg": "ES256", "kid": kid}, {"files": listing(FILES)})
    assert len(faults(with_token(token))) == 1
    token = key().sign_raw({"alg": "ES256"}, {"files": listing(FILES), "keyid": kid})
    assert len(faults(with_token(token))) == 1


# Scope and payload


@pytest.mark.parametrize(
    ("signed_scope", "scope", "key_scope", "holds"),
    [
        (None, "", "", True),
        ("", "", "", True),
        ("write", "write", "", True),
        ("write", "", "write", True),
        ("write", "write", "read", True),
        ("read", "write", "read", False),
        ("write", "", "", False),
        (None, "write", "", False),
        ("Write", "write", "", False),
        (["write"], "write", "", False),
        (None, "", "write", False),
    ],
)
def test_the_scope_is_the_one_that_is_asked_for(
    signed_scope: Any,
    scope: str,
    key_scope: str,
    holds: bool,  # noqa: FBT001  (a table's column)
) -> None:
    payload = {"files": listing(FILES), **({} if signed_scope is None else {"scope": signed_scope})}
    found = faults({**FILES, SIGNATURES: signatures(payload)}, terms(scope=scope, key_scope=key_scope))
    assert (found == []) is holds
    assert holds or "is for the scope" in found[0]


def test_times_and_other_claims_do_not_count() -> None:
    assert faults(signed(FILES, iat=1, exp=1, nbf=9e15, iss=["x"], aud=7)) == []


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "is not JSON"),
        (b"[" * 100_000, "is not JSON that can be read"),
        (b"[]", "no object"),
        (b"\xff", "is not UTF-8"),
        ({}, "no list of files"),
        ({"files": {}}, "no list of files"),
        ({"files": [1]}, "without a name or a digest"),
        ({"files": [{"name": "plan.json"}]}, "without a name or a digest"),
        ({"files": [{"name": "plan.json", "hash": "", "algorithm": "SHA-256"}]}, "without a name or a digest"),
        ({"files": [{"name": "plan.json", "hash": "zz", "algorithm": "SHA-256"}]}, "without a name or a digest"),
        ({"files": [{"name": "plan.json", "hash": "a b", "algorithm": "SHA-256"}]}, "without a name or a digest"),
        ({"files": [{"name": ["x"], "hash": "aa", "algorithm": "SHA-256"}]}, "without a name or a digest"),
        ({"files": [{"name": "plan.json", "hash": "aa"}]}, "with a digest that is not one of"),
        (
            {"files": [{"name": "plan.json", "hash": "aa", "algorithm": ["SHA-256"]}]},
            "with a digest that is not one of",
        ),
        ({"files": [*listing(FILES), listing(FILES)[0]]}, "lists the file 'plan.json' twice"),
    ],
)
def test_a_payload_that_lists_no_files_is_told(payload: Any, expected: str) -> None:
    assert expected in problem(payload)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-1", "sha-256", "SHA256", ""])
def test_a_digest_that_can_be_forged_vouches_for_nothing(algorithm: str) -> None:
    """Even where it is the right one."""
    forged = hashlib.new("md5" if algorithm == "MD5" else "sha1", FILES["plan.json"], usedforsecurity=False)
    files = [{"name": "plan.json", "algorithm": algorithm, "hash": forged.hexdigest()}]
    assert "with a digest that is not one of" in problem({"files": files})


def test_a_digest_of_another_length_is_another() -> None:
    """A prefix of the right one too."""
    files = [{**file, "hash": file["hash"][:8]} for file in listing(FILES)]
    found = faults({**FILES, SIGNATURES: signatures({"files": files})})
    assert len(found) == len(FILES)
    assert all("its digest is another" in fault for fault in found)


def test_upper_case_digests_hold() -> None:
    files = [{**file, "hash": file["hash"].upper()} for file in listing(FILES)]
    assert faults({**FILES, SIGNATURES: signatures({"files": files})}) == []


def test_a_header_that_nests_without_end_is_told() -> None:
    token = compact(b'{"alg":"ES256","x":' + b"[" * 100_000, {}, lambda _: b"x" * 64)
    assert "is no signed token" in faults(with_token(token))[0]


@settings(deadline=None)
@given(st.data())
def test_no_changed_character_of_a_token_goes_unnoticed(data: st.DataObject) -> None:
    token: str = json.loads(signed(FILES)[SIGNATURES])["signatures"][0]
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("ABCXYZabcxyz0189-_.= \n"))
    changed = token[:place] + character + token[place + 1 :]
    if decoded(changed) != decoded(token):
        assert faults(with_token(changed)) != []


def decoded(token: str) -> list[bytes]:
    """The parts of a token as they are signed; the last one as bytes, since its last character has spare bits."""
    *signed_parts, signature = token.split(".")
    try:
        return [*(part.encode() for part in signed_parts), base64.urlsafe_b64decode(signature + "==")]
    except ValueError:
        return []
