"""Which programs are put beside each other, and what both are asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers import building, programs, workloads
from bench.peers.building import Pinned
from bench.peers.processes import Program
from bench.peers.tokens import TokenIssuer
from bench.peers.workloads import Workload

SECTIONS = ("rls", "check", "rules")


@dataclass(frozen=True, slots=True)
class Plan:
    """A pair with what is asked of it.

    The peer comes with several settings, tried on `trial`; `beside` are tried too, and never taken. `footprint` is what
    start and memory are measured with, where they are. `uses_store`: Valkey takes part.
    """

    key: str
    title: str
    ours: Program
    theirs: Sequence[Program]
    beside: Sequence[Program]
    trial: Workload
    workloads: Sequence[Workload]
    footprint: Workload | None
    uses_store: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """What plans need: a folder of their own, the peers' files, Valkey's port, what carries our gRPC (or None)."""

    folder: Path
    peers: Mapping[Pinned, Path]
    valkey: int
    server: str | None


def plans(setting: Setting, wanted: Sequence[str]) -> Iterator[Plan]:
    """Make those that are wanted, one after another."""
    if "rls" in wanted:
        yield _rate_limits(setting)
    if {"check", "rules"} & set(wanted):
        issuer = TokenIssuer()
        policies = programs.write_policies(setting.folder, issuer)
        if "check" in wanted:
            yield _checks(setting, policies["founding"], issuer)
        if "rules" in wanted:
            yield _rules(setting, policies["rules"], issuer)


def _rate_limits(setting: Setting) -> Plan:
    limits = setting.folder / "limits"
    (limits / "config").mkdir(parents=True)
    (limits / "config" / "bench.yaml").write_text(workloads.limits())
    file = setting.peers[building.RATELIMIT]
    asked = workloads.rate_limits()
    usual = next(each for each in asked if each.key == "rls-3-hot")
    return Plan(
        key="rls",
        title="ShouldRateLimit",
        ours=programs.ratelimit_service(limits, setting.valkey, setting.server),
        theirs=[
            programs.envoyproxy_ratelimit(file, limits, setting.valkey, window) for window in programs.PIPELINE_WINDOWS
        ],
        beside=[],
        trial=usual,
        workloads=asked,
        footprint=usual,
        uses_store=True,
    )


def _checks(setting: Setting, policies: programs.Policies, issuer: TokenIssuer) -> Plan:
    asked = workloads.founding_checks(issuer)
    again = next(each for each in asked if each.key == "check-again")
    return Plan(
        key="check",
        title="Check, the founding policy",
        ours=_ours(setting, policies),
        theirs=[_theirs(setting, policies, options) for options in programs.PLUGIN_OPTIONS],
        beside=[_theirs(setting, policies, programs.PLUGIN_BESIDE)],
        trial=again,
        workloads=asked,
        footprint=again,
        uses_store=False,
    )


def _rules(setting: Setting, policies: programs.Policies, issuer: TokenIssuer) -> Plan:
    asked = workloads.rule_checks(issuer)
    return Plan(
        key="rules",
        title="Check, a policy of 200 rules",
        ours=_ours(setting, policies),
        theirs=[_theirs(setting, policies, options) for options in programs.PLUGIN_OPTIONS],
        beside=[],
        trial=next(each for each in asked if each.key == "rules-body"),
        workloads=asked,
        footprint=None,
        uses_store=False,
    )


def _ours(setting: Setting, policies: programs.Policies) -> Program:
    return programs.authz_service(setting.folder, policies.ours, policies.decision, setting.server)


def _theirs(setting: Setting, policies: programs.Policies, options: programs.PluginOptions) -> Program:
    file = setting.peers[building.OPA_ENVOY_PLUGIN]
    return programs.opa_envoy_plugin(file, setting.folder, policies.theirs, policies.decision, options)
