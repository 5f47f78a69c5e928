"""Envoy's rate limit service: how much may a caller do in a span of time?

    rule       one descriptor of the configured tree: a path of keys and values, with a limit or without
    limit      how much: a fixed window, a sliding window or a token bucket
    descriptor what Envoy asks about: an ordered list of (key, value) entries, and how many hits it stands for
    bucket     one counter: a limit applied to the entries of one descriptor
    charge     hits that a request puts on one bucket; count: what the bucket says to it
    decision   the answer: a status for each descriptor, and whether the request is over as a whole

The way of one request:

    servicers.rls   RateLimitRequest -> descriptors, or INVALID_ARGUMENT; known requests skip this step and the next
    prepared        descriptors -> rules (matching) -> buckets (keys) -> charges
    limiter         charges -> one call to the store -> decision
    stores          all buckets of a request at once, atomically: Valkey, or this process's memory
    servicers.rls   decision -> RateLimitResponse, metrics

The way of a configuration:

    config          YAML files -> raw descriptors, strictly but for what envoyproxy/ratelimit lets pass; or
    xds             resources of a management server -> raw descriptors
    compiling       raw descriptors -> trees of rules, swapped as a whole

The store owns the time. When it does not answer, `limiter` alone decides what becomes of the request.

Imports run one way: `__main__`, `commands` -> `servicers`, `stores`, `xds_client` -> `limiter` -> `prepared` ->
`matching`, `keys` -> `rules`, `model`, `limits`, `errors`. Messages are seen only in `servicers` and `xds`, Valkey's
protocol only in `service_kit.valkey.connection`, metrics only in `telemetry`, which `servicers`, `pages` and `__main__`
use.
"""
