"""Secrets and personal data in what passes: where they are, and what becomes of them.

    detectors/     one file for each family: a format (RE2), a validator, a name
    width          a pattern → the longest text that it can match
    catalogue      detectors → a table of what they check
    views/         bytes of a body → text as the application will read it, in pieces
    scan           text → spans; one RE2 Set pass tells which detectors can match (compiled, sweep, judged, spans)
    unsettled      the end of a text → what of it may be the beginning of something (beginnings)
    readings       a text as it stands, and with percent escapes undone (undone) → spans of both
    body           a body as it comes → the same, treated (held, judging, text_redaction, writing)
    event_body     the same of a body of events, whose values may be parts of one text (deltas, joined_text)
    base64_runs    the same for what a body holds in base64 (base64_run; base64_shape: where it begins)
    base64_places  where in a text that is only read they stand
    codings        content codings undone and done again, within bounds
    charsets       UTF-16 and UTF-32 read as UTF-8 and written back; what cannot be read is refused
    found          what was found, as it is handed to whoever decides
    actions        rules → what becomes of a finding; overrides: what the policy says of that
    redactions     what stands in the place of a value; tokens: what gives it back to its owner
    treatments     an exchange's findings → replacements and notes
    fields         short texts with findings; headers, query: what they become (encoded: base64 in them; encoded_words)
    body_findings  what the policy is told of a body
    request        a request → findings, and, once the policy has seen them, mutations
    terms          all of it as it is configured

A finding says what and where, never the value.
"""
