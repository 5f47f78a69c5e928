"""What an exchange carried, looked at again, later and more heavily than there is time for in its way.

    note            whose body it is, and of which exchange
    sealing         note and body ↔ one encrypted entry
    store           entries in a stream of Valkey: bounded, taken by one worker at a time, gone after a stated time
    offering        from an exchange to the stream, without holding it up
    analyser        text → hits; the detectors again, or Presidio
    analysis        an analyser in a process of its own, which can be ended
    responding      hits → audit event, revocation, webhook
    worker          takes entries one by one, until it is told to stop

Nothing here decides whether an exchange passes: it has passed. Bodies are encrypted wherever they rest, and no value
that is found leaves the process that found it.
"""
