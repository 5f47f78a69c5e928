"""Other scanners, each a process in the environment that `make bench-dlp-rivals` makes; `bench.dlp_rivals` starts them.

    serving     what each of these processes does: texts in, findings out, as JSON lines
    presidio, detect_secrets_rival, cpex_pii, cpex_secrets     one scanner each, with its names for what is found

These modules run without ours: they import nothing of this repository but `serving`.
"""
