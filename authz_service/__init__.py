"""The service that decides: who is calling, what the request carries, and whether it may go on.

A request comes in through `servicers.ext_authz`, becomes an `HttpRequest` (`model`), and runs through `pipeline`:

    identity/   token, proof, certificate → Identity                    (who)
    revocation/ Identity → refused where somebody has revoked it      (still welcome)
    dlp/        headers, query, path, body → findings and mutations     (what does it carry)
    policy/     request + identity + findings → Rego input → verdict    (may it)
    decision_log/   what the policy was asked and said, for whoever collects that

The outcome is one `Decision`, which the servicer translates to protobuf once and `audit_log` writes down once.

Imports run one way: `__main__` → servicers and I/O edges → pipeline → domain → model, errors. Generated messages are
seen in `servicers` only, PyJWT in `identity`, RE2 in `dlp`, regopy in `policy/regopy_*`, the HTTP client in
`service_kit`. No part of the domain reads a clock, a file or the environment: `__main__` hands them in.
"""
