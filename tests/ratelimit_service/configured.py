"""Limits from text, as files hold it: the first text is `0.yaml`, the second `1.yaml`, and so on."""

from __future__ import annotations

import pytest

from ratelimit_service import config, matching
from ratelimit_service.compiling import compile_limits
from ratelimit_service.rules import Entry, Limits, Rule
from service_kit.faults import ConfigurationError, Faults


def limits(*texts: str, merge_domains: bool = False) -> Limits:
    """Compile them; raises `ConfigurationError`."""
    faults = Faults()
    domains = [config.parse(text.encode(), f"{number}.yaml", faults) for number, text in enumerate(texts)]
    return compile_limits(domains, faults, merge_domains=merge_domains)


def faults(*texts: str, merge_domains: bool = False) -> list[str]:
    """What is wrong with them, in the order in which an operator reads it."""
    with pytest.raises(ConfigurationError) as caught:
        limits(*texts, merge_domains=merge_domains)
    return [str(fault) for fault in caught.value.faults]


def warnings(*texts: str) -> list[str]:
    """What they are warned of."""
    return [str(warning) for warning in limits(*texts).warnings]


def rule(limits: Limits, domain: str, *entries: Entry) -> Rule | None:
    """The rule that applies to these entries."""
    node = matching.match(limits.domains[domain], entries)
    return node.rule if node else None
