"""The decision log: what the policy was asked and what it said, in OPA's own format, for whoever collects OPA's logs.

    record      what the pipeline hands over, and the event that becomes of it
    weighing    how much memory it holds on to
    masking     the policies' own mask rules (`data.system.log.mask`) over an event
    redaction   what no policy need ask for: credentials and what DLP finds
    shaping     a record → the line to write, or why there is none
    queueing    the bounded queue, and the thread that shapes
    sinks       where lines go: standard error, a file
    service     or a service, as OPA sends them
    opening     the parts put together, as they are configured

It is no audit log: that one is written before the answer, and a request whose event is lost does not pass. Here nothing
waits and nothing is refused. What there is no room for is left out and counted.
"""
