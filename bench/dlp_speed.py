"""How fast texts are scanned and redacted: clean ones, ones full of findings, a JSON body, a long body with its memory.

Each figure stands beside its goal, and beside the rivals' on the same text as a ratio. All of it is CPU time of one
process, ours and theirs: what others do on the machine does not count. Of throughput the best of a few runs does.
"""

from __future__ import annotations

import io
import json
import random
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.detectors import EVERY
from authz_service.dlp.found import Found
from authz_service.dlp.json_lines import hits
from authz_service.dlp.scan import Scanner
from authz_service.dlp.views.opening import open_view
from bench import dlp_rivals
from bench.dlp_personal import PERSONAL
from bench.dlp_rivals import Rival
from bench.percentiles import percentiles

KIB, MIB = 1024, 1024 * 1024
RUNS = 5
BODIES = 400
LONG = 10 * MIB
SLICE = 64 * KIB  # as bodies come from Envoy
CLEAN_MB, DENSE_MB, JSON_P99_MS, TIMES_FASTER = 100.0, 10.0, 3.0, 20.0  # the goals
_SENTENCES = (
    "The deployment finished without errors and all health checks are green again. ",
    "Customers in the northern region reported slower pages during the morning hours, which a cache should mend. ",
    "Please review the attached draft before Thursday, and add whatever is missing from the section on logging. ",
    'log.info("request done", extra={"route": route, "took_ms": took, "retries": 0}); return Response(status=204) ',
    "SELECT name, total FROM orders WHERE status = 'open' AND region IN ('north', 'south') ORDER BY total DESC; ",
)


def clean(rng: random.Random, size: int) -> str:
    """Text in which nothing is to be found."""
    parts, length = [], 0
    while length < size:
        parts.append(rng.choice(_SENTENCES))
        length += len(parts[-1])
    return "".join(parts)[:size]


def dense(rng: random.Random, size: int) -> str:
    """The same, with a card, an SSN or an e-mail address each 200 bytes."""
    text = clean(rng, size)
    kinds = [PERSONAL[entity][0] for entity in ("payment_card", "us_ssn", "email_address")]
    pieces = []
    for at in range(0, size - 199, 200):
        value = rng.choice(kinds)(rng)
        told = f" {value.words[0]}: {value.text} "
        pieces.append(text[at : at + 200 - len(told)] + told)
    return "".join(pieces)


def json_body(rng: random.Random, size: int) -> str:
    """A list of records such as an API returns: of each hundred one holds an e-mail address."""
    rows: list[dict[str, Any]] = []
    length = 0
    while length < size - 300:
        row: dict[str, Any] = {
            "id": rng.randrange(10**6),
            "created": f"2026-11-{rng.randrange(1, 31):02d}T08:15:00Z",
            "title": rng.choice(_SENTENCES)[:60],
            "price": round(rng.random() * 100, 2),
            "tags": ["new", "open"],
            "body": rng.choice(_SENTENCES) + rng.choice(_SENTENCES),
        }
        if rng.random() < 0.01:
            row["contact"] = PERSONAL["email_address"][0](rng).text
        rows.append(row)
        length += len(json.dumps(row)) + 2
    return json.dumps(rows)


def run(seed: int, rivals: Sequence[Rival]) -> dict[str, Any]:
    """Measure and print; return the figures."""
    rng = random.Random(seed)
    scanner = Scanner(EVERY)
    texts = {"clean": clean(rng, 64 * KIB), "a finding each 200 bytes": dense(rng, 64 * KIB)}
    figures: dict[str, Any] = {}
    print("\nSpeed, in CPU time of one core\n")
    for name, goal, text in (
        ("clean", CLEAN_MB, clean(rng, 4 * MIB)),
        ("a finding each 200 bytes", DENSE_MB, dense(rng, MIB)),
    ):
        data = text.encode()
        rate = len(data) / _best(lambda data=data: _redacted("text/plain", scanner, data)) / 1e6  # type: ignore[misc]
        figures[name] = rate
        print(f"  {name:<36}{rate:>9.1f} MB/s   goal {goal:g}: {_met(is_met=rate >= goal)}")
    figures["json"] = _json_bodies(rng, scanner)
    figures["long"] = _long_body(seed)
    texts["JSON body"] = json_body(rng, 64 * KIB)
    figures["rivals"] = _beside(rivals, texts, scanner)
    return figures


def _replaced(found: Found) -> bytes:
    return f"[REDACTED:{found.detector.entity}]".encode()


def _redacted(content_type: str, scanner: Scanner, body: bytes) -> bytes:
    """What becomes of a body that comes in one part."""
    redactor = BodyRedactor(open_view(content_type, numbers="string"), scanner, _replaced)
    return redactor.feed(body) + redactor.finish()


def _met(*, is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def _best(call: Callable[[], object]) -> float:
    """Seconds of the quickest of a few runs."""
    took = []
    for _ in range(RUNS):
        began = time.process_time()
        call()
        took.append(time.process_time() - began)
    return min(took)


def _json_bodies(rng: random.Random, scanner: Scanner) -> dict[str, float]:
    bodies = [json_body(rng, 64 * KIB).encode() for _ in range(20)]
    took = []
    for number in range(BODIES):
        body = bodies[number % len(bodies)]
        began = time.process_time()
        _redacted("application/json", scanner, body)
        took.append(time.process_time() - began)
    found = percentiles(took)
    goal = f"goal p99 {JSON_P99_MS:g}: {_met(is_met=found.p99 < JSON_P99_MS)}"
    print(f"  {'JSON body of 64 KiB':<36}{found.p50:>9.2f} ms p50 {found.p99:.2f} ms p99   {goal}")
    return {"p50_ms": found.p50, "p99_ms": found.p99}


def _long_body(seed: int) -> dict[str, float]:
    """In a process of its own, whose memory nothing else has grown."""
    command = [sys.executable, "-m", "bench.dlp_speed", str(seed)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603
    figures: dict[str, float] = json.loads(done.stdout)
    print(
        f"  {'body of 10 MiB, in parts of 64 KiB':<36}{figures['mb_s']:>9.1f} MB/s   "
        f"it holds {figures['held_mib']:.1f} MiB at most; process {figures['process_mib']:.0f} MiB"
    )
    return figures


def long_body(seed: int) -> None:
    """Redact ten mebibytes that are read as they are made; print seconds and memory as JSON."""
    rng = random.Random(seed)
    part = dense(rng, 256 * KIB).encode() + clean(rng, 768 * KIB).encode()
    scanner = Scanner(EVERY)
    _redacted("text/plain", scanner, part[:KIB])
    began = time.process_time()
    count = _redact_long(part, scanner)
    took = time.process_time() - began
    # Python's own memory once more, the slow way: what RE2's automata hold is there from the first run.
    tracemalloc.start()
    _redact_long(part, scanner)
    held = tracemalloc.get_traced_memory()[1] / MIB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
    print(json.dumps({"mb_s": LONG / took / 1e6, "held_mib": held, "process_mib": peak, "bytes_out": count}))


def _redact_long(part: bytes, scanner: Scanner) -> int:
    source = io.BufferedReader(_Repeated(part, LONG))
    redactor = BodyRedactor(open_view("text/plain"), scanner, _replaced)
    count = 0
    while data := source.read(SLICE):
        count += len(redactor.feed(data))
    return count + len(redactor.finish())


class _Repeated(io.RawIOBase):
    """Bytes over and over, up to a size."""

    def __init__(self, part: bytes, size: int) -> None:
        self._part = part
        self._left = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._left, len(self._part) - self._at)
        buffer[:count] = self._part[self._at : self._at + count]
        self._at = (self._at + count) % len(self._part)
        self._left -= count
        return count


def _beside(rivals: Sequence[Rival], texts: dict[str, str], scanner: Scanner) -> dict[str, Any]:
    """The same texts, findings as places in both: the rivals mask nothing here, and neither do we."""
    figures: dict[str, Any] = {}
    if not rivals:
        return figures
    print(
        "\n  Beside others, texts of 64 KiB, findings told, nothing rewritten; MB/s, and how many times faster ours is"
    )
    ours = {name: len(text) / _best(lambda text=text: hits(text, scanner)) / 1e6 for name, text in texts.items()}  # type: ignore[misc]
    print(f"  {'':<26}" + "".join(f"{name:>28}" for name in texts))
    print(f"  {'ours':<26}" + "".join(f"{ours[name]:>28.1f}" for name in texts))
    for rival in rivals:
        answer = dlp_rivals.ask(rival, ["warm up", *[text for text in texts.values() for _ in range(3)]])
        rates = {
            name: len(text) / min(answer.seconds[1 + 3 * at : 4 + 3 * at]) / 1e6
            for at, (name, text) in enumerate(texts.items())
        }
        figures[rival.name] = {name: {"mb_s": rate, "ours_mb_s": ours[name]} for name, rate in rates.items()}
        cells = [f"{rate:.3f} ({ours[name] / rate:,.0f}x)" for name, rate in rates.items()]
        print(f"  {rival.name:<26}" + "".join(f"{cell:>28}" for cell in cells))
    return figures


if __name__ == "__main__":
    long_body(int(sys.argv[1]))
