"""Who is calling: from request headers to a verified `Identity`.

    bearer         the Authorization header → one bearer token, or why not
    keys           an issuer's key set: which key for this token
    freshness      when keys are fetched again, and when they are too old
    key_rings      one issuer's keys, kept fresh
    tokens         token + keys + now → verified claims; signature, issuer, audience and time in one unskippable call
    claims         verified claims → Identity, by the issuer's claim names
    authenticator  the three in order, for several issuers
    key_source     where keys come from: the port, and the file behind it
    jwks_http      the same over HTTP, bounded in size and time
    introspection  what is asked about an opaque token, and what the answer says
    introspector   answers remembered for a short while, questions bounded in number
    introspection_http  the question over HTTP

Nothing here trusts what a token says before its signature holds, save the issuer's name to pick the keys by.
"""
