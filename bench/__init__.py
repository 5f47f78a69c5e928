"""Measures what the services cost: `python -m bench` (`make bench`). Minutes, no network but loopback.

    measure           calls a coroutine many times, tells median, 99th percentile and CPU time
    check             authz_service's Check, step by step and whole
    should_rate_limit ratelimit_service's ShouldRateLimit, against the in-memory twin and a real Valkey
    gateway           the whole gateway, beside Envoy alone (gateway_*, http_*, h2load, percentiles)
    start_up, memory  how soon a service answers, what it holds, and whether that grows
    scaling           cost against the number of rules, agents and buckets (scaling_cases, checking)
    rego              the Rego engine beside regopy's and OPA's: `make bench-rego` (rego_policies, regopy_vm)
    dlp               what detection finds, misses and mistakes, and how fast: `make bench-dlp` (dlp_*, rivals)
    peers             opa-envoy-plugin and envoyproxy/ratelimit beside us: `make bench-peers`, loaded by `load`, in Go

The first two are of one process on one core, without gRPC. Shared machines are noisy: rows are best read against the
first of their table.
"""
