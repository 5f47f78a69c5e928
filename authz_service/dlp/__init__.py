"""What a request carries: secrets and personal data in headers and query, signs of local files in the body.

    detectors/   one file for each family: a format (RE2), a validator, a name
    width        a pattern → the longest text that it can match
    catalogue    detectors → a table of what they check
    scan         text → spans; one RE2 Set pass tells which detectors can match at all
    redactions   spans → the text without them
    request      a request → findings, and the header and query mutations that take the values out

A finding says what and where, never the value.
"""
