"""What a request carries: secrets and personal data in headers and query, signs of local files in the body.

    detectors/   one file for each family: a format (RE2), a validator, a name
    width        a pattern → the longest text that it can match
    catalogue    detectors → a table of what they check
    scan         text → spans; one RE2 Set pass tells which detectors can match at all (compiled, sweep, spans)
    redactions   spans → the text without them
    views/       bytes of a body → text as the application reads it, in pieces
    body         a body as it comes → the same without what is not to pass (held, judging, text_redaction, writing)
    base64_runs  the same for what a body holds in base64 (base64_run)
    request      a request → findings, and the header and query mutations that take the values out

A finding says what and where, never the value.
"""
