"""What a check ends with → the one `Decision`: a verdict, a refusal, or a failure of ours. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from urllib.parse import quote, unquote_plus

from authz_service.dlp.request import Scan
from authz_service.errors import CredentialRefused, Refusal
from authz_service.model import Binding, DecidedBy, Decision, Identity, Mutations, Outcome
from authz_service.policy.target import Target
from authz_service.policy.verdict import Verdict

# What the gateway itself takes from a request. It verifies them, and forwards none of them.
CREDENTIAL_HEADERS = frozenset({"authorization", "dpop"})
_AUTHORIZATION = frozenset({"authorization"})


def answer_verdict(
    verdict: Verdict, decision_id: str, target: Target, identity: Identity | None, scan: Scan
) -> Decision:
    """Answer with what the policy says, and with what the gateway takes out of the request or adds to it."""
    policy_id = verdict.policy_id or "policy"
    if not verdict.allowed:
        code, reason = verdict.code or "policy_denied", verdict.reason or "denied by policy"
        return Decision(
            Outcome.DENY, decision_id, code, reason, policy_id,
            status=verdict.http_status,
            headers=verdict.headers,
            body=verdict.body,
            metadata={"decision_id": decision_id},
        )  # fmt: skip
    # What the gateway says of the caller comes last: no policy and no client can say otherwise.
    metadata = {
        "endpoint": scan.endpoint,
        **verdict.dynamic_metadata,
        "decision_id": decision_id,
        "user": identity.user if identity else "",
        "agent": (identity.agent or "") if identity else "",
        "roles": list(identity.roles) if identity else [],
    }
    return Decision(
        Outcome.ALLOW, decision_id,
        verdict.code or "allowed", verdict.reason or "allowed by policy", policy_id,
        mutations=_mutations(verdict, target, identity, scan), metadata=metadata,
    )  # fmt: skip


def with_nonce(decision: Decision, nonce: str) -> Decision:
    """Give a decision the nonce for the next DPoP proof; such answers are not for caches (RFC 9449 section 8)."""
    headers = [("dpop-nonce", nonce), ("cache-control", "no-store")]
    if decision.outcome is not Outcome.ALLOW:
        return replace(decision, headers=[*decision.headers, *headers])
    mutations = decision.mutations
    return replace(decision, mutations=replace(mutations, response_headers=[*mutations.response_headers, *headers]))


def answer_refusal(refusal: Refusal, decision_id: str, challenge: Sequence[tuple[str, str]] = ()) -> Decision:
    """Answer with the refusal's own status; one of a credential with its challenge."""
    return Decision(
        Outcome.DENY, decision_id, refusal.code, refusal.text,
        "identity" if isinstance(refusal, CredentialRefused) else "request", DecidedBy.GATEWAY,
        status=refusal.status, headers=challenge, metadata={"decision_id": decision_id},
    )  # fmt: skip


def answer_failure(code: str, decision_id: str) -> Decision:
    """Answer that the check could not be made: 503, and nothing of why."""
    reason = "the gateway cannot decide now"
    return Decision(
        Outcome.ERROR, decision_id, code, reason, "gateway", DecidedBy.GATEWAY,
        status=503, metadata={"decision_id": decision_id},
    )  # fmt: skip


def _mutations(verdict: Verdict, target: Target, identity: Identity | None, scan: Scan) -> Mutations:
    """Put the gateway's mutations and the policy's together. The policy's come last: no client can undo them."""
    set_by_policy = {name for name, _ in verdict.headers}
    # A token for this gateway is none of the upstream's business, which could use it. A policy may give it another.
    sent = CREDENTIAL_HEADERS if identity and identity.binding is Binding.DPOP else _AUTHORIZATION
    own = sent - set_by_policy if identity else ()
    parameters = [(quote(name, safe=""), quote(value, safe="")) for name, value in verdict.query_parameters_to_set]
    replaced = _spellings(target.query, {name for name, _ in verdict.query_parameters_to_set})
    written = {name for name, _ in parameters}
    return Mutations(
        set_headers=[*scan.set_headers, *verdict.headers],
        remove_headers=[*verdict.request_headers_to_remove, *scan.remove_headers, *own],
        set_query=[*scan.set_query, *parameters],
        remove_query=[
            *scan.remove_query,
            # A token in the query (RFC 6750 section 2.3) is not accepted, and none of the upstream's business either.
            *_spellings(target.query, {"access_token"}),
            *dict.fromkeys(
                [*verdict.query_parameters_to_remove, *_spellings(target.query, verdict.query_parameters_to_remove)]
            ),
            *(name for name in replaced if name not in written),
        ],
        response_headers=verdict.response_headers_to_add,
    )


def _spellings(query: str, names: Collection[str]) -> Sequence[str]:
    """How a query writes these names. Envoy compares names as written, an upstream as decoded: `%64ebug` is `debug`."""
    if not names or not query:
        return ()
    written = dict.fromkeys(piece.partition("=")[0] for piece in query.split("&"))
    return [name for name in written if unquote_plus(name) in names]
