"""Attacks on certificate-bound tokens and on callers who are known by their certificate."""

from __future__ import annotations

from tests.attacks.scene import BOUND, CERTIFICATES, MACHINES, Attack, Sent


def _claimed(value: str, token: str | None = None, path: str = "/reports") -> Sent:
    """A header of the attacker's own about a certificate that he has not."""
    bearer = [("Authorization", f"Bearer {token}")] if token else []
    return Sent([*bearer, ("X-Forwarded-Client-Cert", value)], path=path)


HASH = "Hash=" + "ab" * 32
URI = "URI=spiffe://company.example/agent/hanna-desktop"
ALL = (
    Attack("a certificate-bound token without one", lambda s: s.bearer(s.by_certificate), "certificate_missing"),
    Attack(
        "a certificate-bound token with another",
        lambda s: s.bearer(s.by_certificate, certificate=True),
        "certificate_wrong",
    ),
    Attack(
        "a forwarded certificate of the attacker's own writing",
        lambda s: _claimed(HASH, s.by_certificate),
        "certificate_missing",
    ),
    Attack("the same with names", lambda s: _claimed(f"{HASH};{URI}", s.by_certificate), "certificate_missing"),
    Attack(
        "two elements of his own writing", lambda s: _claimed(f"{HASH},{HASH}", s.by_certificate), "certificate_missing"
    ),
    Attack("a certificate-bound token under DPoP", lambda s: s.proven(s.by_certificate), "token_not_bound"),
    Attack(
        "a token bound twice, the key proven only",
        lambda s: s.proven(s.token(cnf={"jkt": s.holder.jkt, "x5t#S256": s.thumbprint})),
        "certificate_missing",
    ),
    Attack(
        "a token bound twice, the certificate shown only",
        lambda s: s.bearer(s.token(cnf={"jkt": s.holder.jkt, "x5t#S256": s.thumbprint}), certificate=True),
        "binding_downgraded",
    ),
    Attack(
        "a plain token and a certificate of one's own where a binding is asked for",
        lambda s: s.bearer(s.token(), path=BOUND, certificate=True),
        "binding_required",
    ),
    Attack("a certificate alone where a token is asked for", lambda _: Sent(certificate=True), "credential_missing"),
    Attack(
        "a forwarded certificate alone where one would do",
        lambda _: _claimed(f"{HASH};{URI}", path=MACHINES),
        "credential_missing",
    ),
    Attack("nothing where a certificate would do", lambda _: Sent(path=MACHINES), "credential_missing"),
    Attack(
        "a token where only a certificate does",
        lambda s: s.bearer(s.token(), path=CERTIFICATES),
        "credential_not_accepted",
    ),
    Attack(
        "a thumbprint in hexadecimal",
        lambda s: s.bearer(s.token(cnf={"x5t#S256": "ab" * 32}), certificate=True),
        "binding_unsupported",
    ),
    Attack(
        "a SHA-1 thumbprint", lambda s: s.bearer(s.token(cnf={"x5t": "x"}), certificate=True), "binding_unsupported"
    ),
)
