"""Attacks on DPoP: a stolen token without its key, and proofs that are borrowed, altered or replayed."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.attacks.scene import BOUND, PATH, Attack, Scene, Sent, other_key
from tests.authz_service.minting import SigningKey, rsa_private
from tests.authz_service.proving import Prover, ath


def _with_both(scene: Scene, **changed: Any) -> Sent:
    """A bound token with a proof of its holder's that is wrong in one way."""
    token = scene.by_key
    return scene.dpop(token, scene.proof(token, **changed))


def _with_header(scene: Scene, **header: Any) -> Sent:
    token = scene.by_key
    return scene.dpop(token, scene.proof(token, header=header))


def _by_thief(scene: Scene, **header: Any) -> Sent:
    token = scene.by_key
    return scene.dpop(token, scene.proof(token, by=scene.thief, header=header))


def _repeated(scene: Scene) -> Sent:
    token = scene.by_key
    return scene.dpop(token, scene.proof(token), scene.proof(token))


def _proof_of_another(scene: Scene) -> Sent:
    token = scene.by_key
    return scene.dpop(token, scene.proof(scene.by_key))


def _two_claims(scene: Scene) -> Sent:
    token = scene.by_key
    claims = scene.holder.claims(token, htu=scene.origin + PATH, iat=int(time.time()), htm="POST")
    return scene.dpop(token, scene.holder.signed((json.dumps(claims)[:-1] + ', "htm": "GET"}').encode()))


def _weak(scene: Scene) -> Sent:
    weak = Prover(SigningKey(rsa_private(1024), "RS256", None))
    token = scene.token(cnf={"jkt": weak.jkt})
    return scene.dpop(token, scene.proof(token, by=weak))


def _huge(scene: Scene) -> Sent:
    token = scene.by_key
    return scene.dpop(token, scene.proof(token, pad="x" * 9_000))


def _secret_as_key(scene: Scene) -> Sent:
    token = scene.by_key
    return scene.dpop(
        token, scene.proof(token, by=scene.thief, header={"jwk": {"kty": "oct", "k": "AAAA"}, "alg": "HS256"})
    )


ALL = (
    Attack("a stolen bound token as a plain one", lambda s: s.bearer(s.by_key), "binding_downgraded"),
    Attack("a stolen bound token without a proof", lambda s: s.dpop(s.by_key), "proof_missing"),
    Attack("a proof of the thief's key", _by_thief, "proof_key_wrong"),
    Attack(
        "the thief's signature over the holder's key",
        lambda s: _by_thief(s, jwk=s.holder.jwk),
        "proof_signature_invalid",
    ),
    Attack(
        "a proof under the scheme Bearer",
        lambda s: s.dpop(s.by_key, s.proof(s.by_key), scheme="Bearer"),
        "scheme_mixed",
        400,
    ),
    Attack("a plain token with a proof of the thief's", lambda s: s.proven(s.token(), by=s.thief), "token_not_bound"),
    Attack("a proof and no token", lambda s: Sent([("DPoP", s.proof("x"))]), "proof_without_token", 400),
    Attack("two proofs", _repeated, "proof_repeated"),
    Attack("a proof for another token", _proof_of_another, "proof_token_wrong"),
    Attack("a proof without the token's hash", lambda s: _with_both(s, ath=None), "proof_token_wrong"),
    Attack("the hash of a part of the token", lambda s: _with_both(s, ath=ath("a.b")), "proof_token_wrong"),
    Attack("a proof for another method", lambda s: _with_both(s, htm="POST"), "proof_method_wrong"),
    Attack("a method in another case", lambda s: _with_both(s, htm="get"), "proof_method_wrong"),
    Attack("a proof for another path", lambda s: _with_both(s, htu=s.origin + "/hr"), "proof_uri_wrong"),
    Attack(
        "a proof for another host", lambda s: _with_both(s, htu="https://attacker.example" + PATH), "proof_uri_wrong"
    ),
    Attack(
        "a host that begins as ours",
        lambda s: _with_both(s, htu=s.origin + ".attacker.example" + PATH),
        "proof_uri_wrong",
    ),
    Attack(
        "our host as the user of another",
        lambda s: _with_both(s, htu=s.origin + "@attacker.example" + PATH),
        "proof_uri_wrong",
    ),
    Attack(
        "a proof for http", lambda s: _with_both(s, htu=s.origin.replace("https", "http") + PATH), "proof_uri_wrong"
    ),
    Attack("a relative URI", lambda s: _with_both(s, htu=PATH), "proof_uri_wrong"),
    Attack("an encoded slash in the path", lambda s: _with_both(s, htu=s.origin + "/%2Freports"), "proof_uri_wrong"),
    Attack("a proof of an hour ago", lambda s: _with_both(s, iat=int(time.time()) - 3_600), "proof_not_fresh"),
    Attack("a proof of the future", lambda s: _with_both(s, iat=int(time.time()) + 60), "proof_not_fresh"),
    Attack("a time that is a text", lambda s: _with_both(s, iat=str(int(time.time()))), "proof_malformed"),
    Attack("a proof without an id", lambda s: _with_both(s, jti=None), "proof_malformed"),
    Attack("an id of 10,000 characters", lambda s: _with_both(s, jti="j" * 3_000), "proof_malformed"),
    Attack("another type", lambda s: _with_header(s, typ="JWT"), "proof_type_wrong"),
    Attack("no type", lambda s: _with_header(s, typ=None), "proof_type_wrong"),
    Attack("alg none in the proof", lambda s: _with_header(s, alg="none"), "proof_algorithm_refused"),
    Attack("a secret in place of a key", _secret_as_key, "proof_algorithm_refused"),
    Attack("no key", lambda s: _with_header(s, jwk=None), "proof_key_refused"),
    Attack(
        "the private key along with it", lambda s: _with_header(s, jwk={**s.holder.jwk, "d": "AA"}), "proof_key_refused"
    ),
    Attack("a key by URL", lambda s: _with_header(s, jku="https://attacker.example/k"), "proof_header_refused"),
    Attack(
        "an extension that has to be understood in the proof",
        lambda s: _with_header(s, crit=["x"], x=1),
        "proof_header_refused",
    ),
    Attack("a 1,024-bit RSA key for the proof", _weak, "proof_key_refused"),
    Attack("a claim twice in the proof", _two_claims, "proof_malformed"),
    Attack("a proof of 9 KB", _huge, "proof_too_large"),
    Attack("no JWT as a proof", lambda s: s.dpop(s.by_key, "nonsense"), "proof_malformed"),
    Attack("an ID token as a proof", lambda s: s.dpop(s.by_key, s.token()), "proof_type_wrong"),
    Attack(
        "a token bound to a key that is no thumbprint",
        lambda s: s.dpop(s.token(cnf={"jkt": "x"}), s.proof("x")),
        "binding_unsupported",
    ),
    Attack("a token bound to something unknown", lambda s: s.bearer(s.token(cnf={"kid": "1"})), "binding_unsupported"),
    Attack("a token whose binding is null", lambda s: s.bearer(s.signed({}, cnf={})), "binding_unsupported"),
    Attack("a plain token where a binding is asked for", lambda s: s.bearer(s.token(), path=BOUND), "binding_required"),
    Attack("the same under an encoded path", lambda s: s.bearer(s.token(), path="/%62ound"), "binding_required"),
    Attack("the same under another case", lambda s: s.bearer(s.token(), path="/BOUND/x"), "binding_required"),
    Attack("the same under a dotted path", lambda s: s.bearer(s.token(), path="/x/../bound"), "binding_required"),
    Attack(
        "a token of the attacker's own, bound to his key",
        lambda s: s.proven(s.signed({}, other_key(), cnf={"jkt": s.thief.jkt}), by=s.thief),
        "signature_invalid",
    ),
)
