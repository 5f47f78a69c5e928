"""Envoy's rate limit service: how much may a caller do in a span of time?

    rule       one line of the configured tree: a path of keys and values, with a limit or without
    limit      how much: a fixed window or a token bucket
    descriptor what Envoy asks about: an ordered list of (key, value) entries, and how many hits it stands for
    bucket     one counter: a limit applied to the entries of one descriptor
    charge     hits that a request puts on one bucket; count: what the bucket says to it
    decision   the answer: a status for each descriptor, and whether any of them is over

The way of one request:

    servicers.rls   RateLimitRequest -> descriptors, or INVALID_ARGUMENT
    limiter         descriptors -> rules (matching) -> buckets (keys) -> one call to the store -> decision
    stores          all buckets of a request at once, atomically: Valkey, or this process's memory
    servicers.rls   decision -> RateLimitResponse, metrics

The configuration (`config`) is read strictly, compiled into an immutable tree and swapped as a whole. The store owns
the time. When the store does not answer, `limiter` alone decides what becomes of the request.

Imports run one way: `__main__` -> `servicers`, `stores.valkey` -> `limiter` -> `config`, `matching`, `keys` -> `model`,
`errors`. Messages are seen only in `servicers`, the Valkey client only in `stores.valkey`, metrics only in `telemetry`,
which `servicers` and `__main__` use.
"""
