"""Measures both services beside their peers on this machine: `python -m bench.peers` (`make bench-peers`).

It takes a quarter of an hour.

    building      builds the peers and the load generator with go, at pinned versions
    plans         which programs are put beside each other, and what both are asked
    programs      the four programs: command lines and every setting
    processes     starts one on its core, and stops it; accounting tells its CPU time and memory
    workloads     what is asked, as messages that are made before
    answers       that what comes back is what should, before anything is measured
    load          drives the load generator (bench/load) and reads what it found
    measuring     one run; two programs in turn, A B A B
    results       the figures as values, medians and ratios; to and from JSON
    footprints    time until the first answer, and memory
    report, plot  docs/benchmarks.md and docs/benchmarks.svg

The server has one core, the load generator and Valkey have another. The first question is what a call costs the server
in CPU time, since that holds on any number of cores; calls in a second and latencies are told beside it.
"""
