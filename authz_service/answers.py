"""What a check ends with → the one `Decision`: a verdict, a refusal, or a failure of ours. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from urllib.parse import quote, unquote_plus

from authz_service.dlp.headers import FIXED_HEADERS
from authz_service.dlp.overrides import to_metadata
from authz_service.dlp.request import NOTHING_DONE, Applied, Scan
from authz_service.errors import CredentialRefused, McpRefused, Refusal
from authz_service.identity.credentials import QUERY_PARAMETER, may_hold_a_token
from authz_service.model import Binding, DecidedBy, Decision, Identity, Mutations, Outcome
from authz_service.policy.target import Target
from authz_service.policy.verdict import Pairs, Verdict

# What the gateway itself takes from a request. It verifies them, and forwards none of them.
CREDENTIAL_HEADERS = frozenset({"authorization", "dpop"})
NOT_SEARCHED = CREDENTIAL_HEADERS | FIXED_HEADERS
_AUTHORIZATION = frozenset({"authorization"})


def answer_verdict(  # noqa: PLR0913  (a decision's parts)
    verdict: Verdict,
    decision_id: str,
    target: Target,
    identity: Identity | None,
    scan: Scan,
    *,
    applied: Applied = NOTHING_DONE,
    dry_run: bool = False,
) -> Decision:
    """Answer with what the policy says, and with what the gateway takes out of the request or adds to it.

    `dry_run`: what the policy denies passes, marked so, and without anything that the policy would have changed.
    """
    policy_id = verdict.policy_id or "policy"
    # What the gateway says of the caller comes last: no policy and no client can say otherwise.
    metadata = {
        "endpoint": scan.endpoint,
        **verdict.dynamic_metadata,
        "decision_id": decision_id,
        "user": identity.user if identity else "",
        "agent": (identity.agent or "") if identity else "",
        "roles": list(identity.roles) if identity else [],
        "issuer": identity.issuer if identity else "",
        "token_id": (identity.token_id or "") if identity else "",
    }
    metadata.pop("dlp", None)
    if verdict.dlp:
        metadata["dlp"] = to_metadata(verdict.dlp)  # by which bodies are treated
    if verdict.allowed:
        return Decision(
            Outcome.ALLOW, decision_id,
            verdict.code or "allowed", verdict.reason or "allowed by policy", policy_id,
            mutations=_mutations(verdict, target, identity, applied), metadata=metadata,
        )  # fmt: skip
    code, reason = verdict.code or "policy_denied", verdict.reason or "denied by policy"
    if dry_run:
        return Decision(
            Outcome.ALLOW, decision_id, "dry_run", f"would be denied ({code}): {reason}", policy_id, DecidedBy.GATEWAY,
            mutations=_mutations(Verdict(allowed=True), target, identity, applied), metadata=metadata,
        )  # fmt: skip
    headers = verdict.headers
    if verdict.body is None:  # it is ours to write, and to say what it is
        headers = [pair for pair in headers if pair[0] != "content-type"]
    return Decision(
        Outcome.DENY, decision_id, code, reason, policy_id,
        status=verdict.http_status, headers=headers, body=verdict.body, metadata=metadata,
    )  # fmt: skip


def with_nonce(decision: Decision, nonce: str) -> Decision:
    """Give a decision the nonce for the next DPoP proof; such answers are not for caches (RFC 9449 section 8)."""
    headers = [("dpop-nonce", nonce), ("cache-control", "no-store")]
    if decision.outcome is not Outcome.ALLOW:
        return decision._replace(headers=[*decision.headers, *headers])
    mutations = decision.mutations
    return decision._replace(mutations=mutations._replace(response_headers=[*mutations.response_headers, *headers]))


def answer_refusal(
    refusal: Refusal, decision_id: str, challenge: Sequence[tuple[str, str]] = (), *, text: str | None = None
) -> Decision:
    """Answer with the refusal's own status; one of a credential with its challenge, one of MCP in its own form.

    `text` is what the client is told there in place of the refusal's own.
    """
    headers, body = challenge, None
    if isinstance(refusal, McpRefused):
        error = {"code": refusal.rpc_code, "message": text or refusal.text, "data": {"decision_id": decision_id}}
        headers = [("content-type", "application/json")]
        body = json.dumps({"jsonrpc": "2.0", "id": refusal.rpc_id, "error": error})
    return Decision(
        Outcome.DENY, decision_id, refusal.code, refusal.text,
        "identity" if isinstance(refusal, CredentialRefused) else "request", DecidedBy.GATEWAY,
        status=refusal.status, headers=headers, body=body, metadata={"decision_id": decision_id},
    )  # fmt: skip


def answer_failure(code: str, decision_id: str) -> Decision:
    """Answer that the check could not be made: 503, and nothing of why."""
    reason = "the gateway cannot decide now"
    return Decision(
        Outcome.ERROR, decision_id, code, reason, "gateway", DecidedBy.GATEWAY,
        status=503, metadata={"decision_id": decision_id},
    )  # fmt: skip


def _mutations(verdict: Verdict, target: Target, identity: Identity | None, applied: Applied) -> Mutations:
    """Put the gateway's mutations and the policy's together. The policy's come last: no client can undo them."""
    set_by_policy = {name for name, _ in verdict.headers}
    # A token for this gateway is none of the upstream's business, which could use it. A policy may give it another.
    sent = CREDENTIAL_HEADERS if identity and identity.binding is Binding.DPOP else _AUTHORIZATION
    own = sent - set_by_policy if identity else ()
    parameters = _parameters(verdict.query_parameters_to_set)
    replaced = _spellings(target.query, {name for name, _ in verdict.query_parameters_to_set})
    written = {name for name, _ in parameters}
    return Mutations(
        set_headers=[*(pair for pair in applied.headers.set if pair[0] not in set_by_policy), *verdict.headers],
        remove_headers=[*verdict.request_headers_to_remove, *applied.headers.remove, *own],
        set_query=[*(pair for pair in applied.query.set if pair[0] not in written), *parameters],
        remove_query=[
            *applied.query.remove,
            # A token in the query (RFC 6750 section 2.3) is not accepted, and none of the upstream's business either.
            *(_spellings(target.query, {QUERY_PARAMETER}) if may_hold_a_token(target.query) else ()),
            *_removed(verdict.query_parameters_to_remove, target.query),
            *(name for name in replaced if name not in written),
        ],
        response_headers=verdict.response_headers_to_add,
    )


def _removed(names: Sequence[str], query: str) -> Collection[str]:
    """Parameters to remove, in each of their spellings."""
    return dict.fromkeys([*names, *_spellings(query, names)]) if names else ()


def _parameters(pairs: Pairs) -> Pairs:
    """Write parameters as a query has them, one pair for each name.

    Of several settings of one name Envoy keeps the last, and it writes a value as it stands: so the further values of a
    name go into the first one's, as `a=1&a=2` is written.
    """
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(quote(name, safe=""), []).append(quote(value, safe=""))
    return [(name, f"&{name}=".join(found)) for name, found in values.items()]


def _spellings(query: str, names: Collection[str]) -> Sequence[str]:
    """How a query writes these names. Envoy compares names as written, an upstream as decoded: `%64ebug` is `debug`."""
    if not names or not query:
        return ()
    written = dict.fromkeys(piece.partition("=")[0] for piece in query.split("&"))
    return [name for name in written if unquote_plus(name) in names]
