"""The built-in functions, by family.

registry     how one is declared and found; checks of operands
context      what an evaluation hands to those that depend on more than their operands

Each other module is a family, or what families share. Importing the package declares the common ones; those whose
libraries take long to load are declared when a policy names one (`registry.LATER`).
"""

from authz_service.rego_engine.builtins import (
    aggregates,
    arithmetic,
    arrays,
    bits,
    casts,
    comparison,
    durations,
    encodings,
    formatting,
    globs,
    globs_match,
    graphs,
    identifiers,
    json_patch,
    json_paths,
    json_text,
    networks,
    objects,
    random_numbers,
    reflection,
    regexes,
    replacing,
    semver,
    sets,
    slicing,
    strings,
    templates,
    times,
    types,
    units,
    uris,
    urls,
    walking,
    yaml_reading,
    yaml_writing,
)

__all__ = [
    "aggregates", "arithmetic", "arrays", "bits", "casts", "comparison", "durations", "encodings", "formatting",
    "globs", "globs_match", "graphs", "identifiers", "json_patch", "json_paths", "json_text", "networks", "objects",
    "random_numbers", "reflection", "regexes", "replacing", "semver", "sets", "slicing", "strings", "templates",
    "times", "types", "units", "uris", "urls", "walking", "yaml_reading", "yaml_writing",
]  # fmt: skip
