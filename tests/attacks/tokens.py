"""Attacks with tokens: forged, altered, borrowed, confused."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

from tests.attacks.scene import PATH, Attack, Scene, Sent, other_key
from tests.authz_service.minting import SigningKey, compact, encoded, rsa_private


def _altered(scene: Scene, **changed: Any) -> str:
    """A good token whose payload was exchanged under its signature."""
    header, _, signature = scene.token().split(".")
    return f"{header}.{encoded(scene.claims(**changed))}.{signature}"


def _confused(scene: Scene) -> str:
    """HS256 with the issuer's public key as the secret."""
    pem = scene.signer.public_pem()
    return compact(
        {"alg": "HS256", "kid": scene.signer.kid}, scene.claims(), lambda signed: hmac.digest(pem, signed, "sha256")
    )


def _twice(scene: Scene, name: str, value: Any) -> str:
    """A claim twice, the second time as the attacker likes; signed as by an issuer who lets him."""
    text = json.dumps(scene.claims())[:-1] + f", {json.dumps(name)}: {json.dumps(value)}}}"
    return scene.signer.sign_raw({"alg": scene.signer.algorithm, "kid": scene.signer.kid}, text.encode())


def _flipped(token: str) -> str:
    head, _, signature = token.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[-1] ^= 1
    return f"{head}.{encoded(bytes(raw))}"


def _cut(token: str) -> str:
    head, _, signature = token.rpartition(".")
    return f"{head}.{encoded(base64.urlsafe_b64decode(signature + '==')[:-8])}"


def _unused_bits(token: str) -> str:
    """The same bytes in another spelling: bits that base64 leaves unused, set."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) ^ 1]


def _weak(scene: Scene) -> SigningKey:
    return SigningKey(rsa_private(1024), "RS256", scene.signer.kid)


def _unsigned(scene: Scene, algorithm: str) -> str:
    return compact({"alg": algorithm, "kid": scene.signer.kid}, scene.claims(), lambda _: b"x")


FORGED = (
    Attack("alg none", lambda s: s.bearer(_unsigned(s, "none")), "algorithm_refused"),
    Attack("alg None in odd case", lambda s: s.bearer(_unsigned(s, "nOnE")), "algorithm_refused"),
    Attack(
        "alg none without any signature",
        lambda s: s.bearer(f"{encoded({'alg': 'none'})}.{encoded(s.claims())}."),
        "token_malformed",
    ),
    Attack("HS256 with the public key as the secret", lambda s: s.bearer(_confused(s)), "algorithm_refused"),
    Attack("an empty algorithm", lambda s: s.bearer(s.signed({"alg": ""})), "algorithm_refused"),
    Attack("no algorithm", lambda s: s.bearer(s.signed({"alg": None})), "token_malformed"),
    Attack("a list of algorithms", lambda s: s.bearer(s.signed({"alg": ["ES256"]})), "token_malformed"),
    Attack(
        "an algorithm that the issuer does not use", lambda s: s.bearer(s.signed({"alg": "PS512"})), "algorithm_refused"
    ),
    Attack(
        "a key of the attacker's under the issuer's id",
        lambda s: s.bearer(s.signed({}, other_key())),
        "signature_invalid",
    ),
    Attack(
        "a key of the attacker's under its own id",
        lambda s: s.bearer(s.signed({"kid": "attacker"}, other_key())),
        "key_unknown",
    ),
    Attack(
        "a path in the key id", lambda s: s.bearer(s.signed({"kid": "../../../dev/null"}, other_key())), "key_unknown"
    ),
    Attack("a query in the key id", lambda s: s.bearer(s.signed({"kid": "x' OR '1'='1"}, other_key())), "key_unknown"),
    Attack("a key id that is no text", lambda s: s.bearer(s.signed({"kid": 7}, other_key())), "token_malformed"),
    Attack(
        "the attacker's key in the header (jwk)",
        lambda s: s.bearer(s.signed({"jwk": other_key().public_jwk()}, other_key())),
        "token_header_refused",
    ),
    Attack(
        "the attacker's key set by URL (jku)",
        lambda s: s.bearer(s.signed({"jku": "https://attacker.example/jwks"}, other_key())),
        "token_header_refused",
    ),
    Attack(
        "the attacker's certificate by URL (x5u)",
        lambda s: s.bearer(s.signed({"x5u": "https://attacker.example/c"}, other_key())),
        "token_header_refused",
    ),
    Attack(
        "the attacker's certificate in the header (x5c)",
        lambda s: s.bearer(s.signed({"x5c": ["MIIB"]}, other_key())),
        "token_header_refused",
    ),
    Attack(
        "a header that brings its key, though signed well",
        lambda s: s.bearer(s.signed({"jwk": {}})),
        "token_header_refused",
    ),
    Attack(
        "an extension that has to be understood",
        lambda s: s.bearer(s.signed({"crit": ["x"], "x": 1})),
        "token_header_refused",
    ),
    Attack(
        "an unencoded payload", lambda s: s.bearer(s.signed({"crit": ["b64"], "b64": False})), "token_header_refused"
    ),
    Attack("a signature with one bit flipped", lambda s: s.bearer(_flipped(s.token())), "signature_invalid"),
    Attack("a signature cut short", lambda s: s.bearer(_cut(s.token())), "signature_invalid"),
    Attack(
        "a signature of zeros",
        lambda s: s.bearer(s.token().rpartition(".")[0] + "." + encoded(bytes(64))),
        "signature_invalid",
    ),
    Attack(
        "unused bits of the signature's encoding set", lambda s: s.bearer(_unused_bits(s.token())), "token_malformed"
    ),
    Attack("padding behind the signature", lambda s: s.bearer(s.token() + "=="), "token_malformed"),
    Attack("another user under a good signature", lambda s: s.bearer(_altered(s, sub="root")), "signature_invalid"),
    Attack(
        "another role under a good signature", lambda s: s.bearer(_altered(s, roles=["hr_access"])), "signature_invalid"
    ),
    Attack(
        "a later expiry under a good signature", lambda s: s.bearer(_altered(s, exp=9_999_999_999)), "signature_invalid"
    ),
    Attack("a 1,024-bit RSA key", lambda s: s.bearer(s.signed({}, _weak(s))), "algorithm_refused"),
)

CONFUSED = (
    Attack("two claims of one name: roles", lambda s: s.bearer(_twice(s, "roles", ["hr_access"])), "token_malformed"),
    Attack("two claims of one name: sub", lambda s: s.bearer(_twice(s, "sub", "root")), "token_malformed"),
    Attack("two claims of one name: exp", lambda s: s.bearer(_twice(s, "exp", 9_999_999_999)), "token_malformed"),
    Attack(
        "two algorithms in one header",
        lambda s: s.bearer(
            s.signer.sign_raw(
                f'{{"alg":"none","alg":"{s.signer.algorithm}","kid":"{s.signer.kid}"}}'.encode(), s.claims()
            )
        ),
        "token_malformed",
    ),
    Attack("a DPoP proof as the token", lambda s: s.bearer(s.signed({"typ": "dpop+jwt"})), "token_type_refused"),
    Attack("a logout token", lambda s: s.bearer(s.signed({"typ": "logout+jwt"})), "token_type_refused"),
    Attack("a security event token", lambda s: s.bearer(s.signed({"typ": "secevent+jwt"})), "token_type_refused"),
    Attack(
        "a token of an issuer that is not trusted",
        lambda s: s.bearer(s.token(iss="https://attacker.example")),
        "issuer_unknown",
    ),
    Attack("an issuer with a slash more", lambda s: s.bearer(s.token(iss=s.issuer + "/")), "issuer_unknown"),
    Attack("an issuer in another case", lambda s: s.bearer(s.token(iss=s.issuer.upper())), "issuer_unknown"),
    Attack("a list of issuers", lambda s: s.bearer(s.signed({}, iss=[s.issuer])), "token_malformed"),
    Attack("no issuer", lambda s: s.bearer(s.token(iss=None)), "token_malformed"),
    Attack("a token for another service", lambda s: s.bearer(s.token(aud="payroll")), "audience_wrong"),
    Attack("a token for nobody", lambda s: s.bearer(s.token(aud=None)), "audience_wrong"),
    Attack("our audience within another name", lambda s: s.bearer(s.token(aud="agent-gateway-test")), "audience_wrong"),
    Attack("an audience that is an object", lambda s: s.bearer(s.token(aud={"agent-gateway": 1})), "audience_wrong"),
    Attack("an expired token", lambda s: s.bearer(s.token(exp=int(time.time()) - 40)), "token_expired"),
    Attack("a token that expired in 1970", lambda s: s.bearer(s.token(exp=0)), "token_expired"),
    Attack("a token without an expiry", lambda s: s.bearer(s.token(exp=None)), "expiry_missing"),
    Attack("an expiry that is a text", lambda s: s.bearer(s.token(exp="9999999999")), "token_malformed"),
    Attack("an expiry that is true", lambda s: s.bearer(s.signed({}, exp=True)), "token_malformed"),
    Attack(
        "a token that is not valid yet", lambda s: s.bearer(s.token(nbf=int(time.time()) + 60)), "token_not_yet_valid"
    ),
    Attack(
        "a token issued in the future", lambda s: s.bearer(s.token(iat=int(time.time()) + 60)), "token_not_yet_valid"
    ),
    Attack("a token of nobody", lambda s: s.bearer(s.token(sub=None)), "claim_missing"),
    Attack(
        "a user with a line break",
        lambda s: s.bearer(s.token(sub="a\r\nx-agent-gateway-user: root")),
        "claim_malformed",
    ),
    Attack("a user that is a list", lambda s: s.bearer(s.signed({}, sub=["root"])), "claim_malformed"),
    Attack("a user with space around it", lambda s: s.bearer(s.token(sub=" root")), "claim_malformed"),
    Attack("roles that are an object", lambda s: s.bearer(s.token(roles={"hr_access": True})), "claim_malformed"),
)

SENT_WRONGLY = (
    Attack(
        "two Authorization headers",
        lambda s: Sent([("Authorization", f"Bearer {s.token()}"), ("Authorization", f"Bearer {s.token()}")]),
        "credential_repeated",
        400,
    ),
    Attack(
        "two tokens in one header", lambda s: s.bearer(f"{s.token()}, Bearer {s.token()}"), "credential_repeated", 400
    ),
    Attack(
        "two Authorization headers in odd case, the first a Basic one",
        lambda s: Sent([("aUTHORIZATION", "Basic YTpi"), ("authorization", f"Bearer {s.token()}")]),
        "credential_repeated",
        400,
    ),
    Attack(
        "a second token in the query",
        lambda s: s.bearer(s.token(), path=f"{PATH}?access_token={s.token()}"),
        "credential_repeated",
        400,
    ),
    Attack(
        "a second token in the query, its name encoded",
        lambda s: s.bearer(s.token(), path=f"{PATH}?access%5Ftoken=x"),
        "credential_repeated",
        400,
    ),
    Attack("a token in the query only", lambda s: Sent(path=f"{PATH}?access_token={s.token()}"), "credential_missing"),
    Attack("a token in a cookie only", lambda s: Sent([("Cookie", f"access_token={s.token()}")]), "credential_missing"),
    Attack(
        "Basic instead of Bearer", lambda _: Sent([("Authorization", "Basic YWxpY2U6c2VjcmV0")]), "scheme_unsupported"
    ),
    Attack("no scheme", lambda s: Sent([("Authorization", s.token())]), "scheme_unsupported"),
    Attack("nothing behind the scheme", lambda _: Sent([("Authorization", "Bearer")]), "token_malformed"),
    Attack("an opaque token where none is known", lambda s: s.bearer("abcdef0123456789"), "token_malformed"),
    Attack("a token of 17 KiB", lambda s: s.bearer(s.token(pad="x" * 12_500)), "token_too_large"),
    Attack("space within the token", lambda s: s.bearer(s.token().replace(".", ". ", 1)), "token_malformed"),
    Attack("five parts, as an encrypted token has", lambda s: s.bearer(s.token() + ".e.t"), "token_malformed"),
    Attack("two parts", lambda s: s.bearer(s.token().rpartition(".")[0]), "token_malformed"),
    Attack("letters that are not ASCII", lambda s: s.bearer("ä" + s.token()[1:]), "token_malformed"),
    Attack(
        "a payload nested a thousand deep",
        lambda s: s.bearer(
            s.signer.sign_raw(
                {"alg": s.signer.algorithm, "kid": s.signer.kid}, b'{"iss":' + b"[" * 1000 + b"]" * 1000 + b"}"
            )
        ),
        "token_malformed",
    ),
    Attack(
        "names of ours in headers instead of a token",
        lambda _: Sent(
            [
                ("x-agent-gateway-user", "root"),
                ("x-agent-gateway-roles", "hr_access"),
                ("x-forwarded-user", "root"),
            ]
        ),
        "credential_missing",
    ),
)

ALL = (*FORGED, *CONFUSED, *SENT_WRONGLY)
