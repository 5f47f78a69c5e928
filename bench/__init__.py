"""Measures the hot paths on this machine: `python -m bench` (`make bench`). Minutes at most, no network but loopback.

    measure           calls a coroutine many times, tells median, 99th percentile and CPU time
    check             authz_service's Check, step by step and whole
    should_rate_limit ratelimit_service's ShouldRateLimit, against the in-memory twin and a real Valkey

Each figure is of one process on one core, without gRPC: what the services themselves cost. Shared machines are noisy,
so rows are best read against the first of their table, which the last column does.
"""
