"""Who is calling: from a request to a verified `Identity`.

    credentials    the request's headers → the one credential that it brings, or why not
    jws            a signed text → header and payload, in one reading or refused
    keys           an issuer's key set: which key for this token
    freshness      when keys are fetched again, and when they are too old
    key_rings      one issuer's keys, kept fresh
    tokens         token + keys + now → verified claims; signature, issuer, audience and time in one unskippable call
    claims         verified claims → Identity, by the issuer's claim names
    token_verifier the three in order, for several issuers; `verified` keeps what held a moment ago
    dpop           a proof → that its sender holds the token's key; its parts: `proof_keys`, `target_uri`, `nonces`,
                   `replay`, and `replay_valkey`, the store that replicas share
    certificates   the client certificate that the proxy saw; `xfcc` as another one before it tells, `certificate_names`
                   → who calls with nothing else
    binding        whether what was proven is what token, issuer, roles and route ask for
    authenticator  all of them → who sends a request
    parts          the settings → all of these, put together
    key_source     where keys come from: the port, and the file behind it
    jwks_http      the same over HTTP, bounded in size and time
    introspection  what is asked about an opaque token, and what the answer says
    introspector   answers remembered for a short while, questions bounded in number
    introspection_http  the question over HTTP

Nothing here trusts what a token says before its signature holds, save the issuer's name to pick the keys by.
"""
