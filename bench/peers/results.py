"""The figures as values: runs, medians, ratios; to JSON and back. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.peers.load import Latency

FULL = 0.9  # of its core: a server that uses more is what bounds the rate


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `cpu` and `store_cpu` are µs of CPU time for a call, of the server and of Valkey (0 where unused).

    `busy` is the part of its core that the server used, `load_cpu` the part of the other core that the load generator
    used, and `others` what anybody else took of the one or the other core, whichever is more. `late` is the 99th
    percentile of how late a call was sent, in µs.
    """

    rate: float
    calls: int
    latency: Latency
    cpu: float
    store_cpu: float
    busy: float
    others: float
    load_cpu: float
    late: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours to theirs: of the medians, and the least and most of the pairs that ran one after the other."""

    of_medians: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Turns:
    """Runs of both in turn: the first of ours, the first of theirs, the second of ours, and so on."""

    ours: Sequence[Run]
    theirs: Sequence[Run]

    def medians(self, figure: Callable[[Run], float]) -> tuple[float, float]:
        """Return ours and theirs."""
        return median(map(figure, self.ours)), median(map(figure, self.theirs))

    def ratio(self, figure: Callable[[Run], float]) -> Ratio:
        """How many times the figure of theirs ours is."""
        ours, theirs = self.medians(figure)
        pairs = [figure(our) / figure(their) for our, their in zip(self.ours, self.theirs, strict=True)]
        return Ratio(ours / theirs, min(pairs), max(pairs))

    def bounded_elsewhere(self) -> bool:
        """Whether one of the servers did not fill its core at saturation, so that something else was the bound."""
        return min(self.medians(lambda run: run.busy)) < FULL


def per_core(run: Run) -> float:
    """Calls for a second of the server's CPU time."""
    return 1e6 / run.cpu


@dataclass(frozen=True, slots=True)
class Compared:
    """A workload at saturation, and at a rate (calls a second) that both hold."""

    key: str
    title: str
    saturation: Turns
    rate: float
    paced: Turns


@dataclass(frozen=True, slots=True)
class Tried:
    """Settings that were tried for a peer, and calls for a second of CPU time with them; the best was taken."""

    workload: str
    settings: str
    per_core: float
    rate: float
    taken: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A pair of programs with what was asked of them."""

    key: str
    title: str
    ours: str
    theirs: str
    our_settings: str
    their_settings: str
    tried: Sequence[Tried]
    workloads: Sequence[Compared]


@dataclass(frozen=True, slots=True)
class Footprint:
    """Of a program: seconds from the start to the first answer, and PSS in bytes at rest and after a load.

    `processes` are the names of what it consists of.
    """

    program: str
    starts: Sequence[float]
    at_rest: int
    after_load: int
    calls: int
    processes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one `make bench-peers` found. `machine` is what it was measured on, name to value."""

    machine: Mapping[str, str]
    seconds: float
    rounds: int
    sections: Sequence[Section]
    footprints: Sequence[Footprint]


def to_json(results: Results) -> dict[str, Any]:
    """All of it, for a file."""
    return asdict(results)


def from_json(data: Mapping[str, Any]) -> Results:
    """Read what `to_json` made."""
    return Results(
        machine=data["machine"],
        seconds=data["seconds"],
        rounds=data["rounds"],
        sections=[_section(each) for each in data["sections"]],
        footprints=[Footprint(**each) for each in data["footprints"]],
    )


def _section(data: Mapping[str, Any]) -> Section:
    tried = [Tried(**each) for each in data["tried"]]
    workloads = [
        Compared(**{**each, "saturation": _turns(each["saturation"]), "paced": _turns(each["paced"])})
        for each in data["workloads"]
    ]
    return Section(**{**data, "tried": tried, "workloads": workloads})


def _turns(data: Mapping[str, Any]) -> Turns:
    return Turns([_run(each) for each in data["ours"]], [_run(each) for each in data["theirs"]])


def _run(data: Mapping[str, Any]) -> Run:
    return Run(**{**data, "latency": Latency(**data["latency"])})
