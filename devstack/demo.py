"""The sample requests: printed as curl lines, and sent for real with what became of each.

`make run` prints `curl_lines`; `make demo` sends the same requests and shows what was decided and what came
through.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from devstack.state import State

_SHOWN_HEADERS = (
    "x-agent-gateway-user",
    "x-agent-gateway-agent",
    "x-agent-gateway-roles",
    "x-note",
    "x-agent-gateway-endpoint",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One request worth seeing. `agent` is a sample agent's name or None.

    It is sent until `expected` answers, `at_most` times.
    """

    title: str
    expected: int
    agent: str | None
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    at_most: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a sample. `limits` is what the answer says of its limits."""

    title: str
    request: str
    status: int
    expected: int
    limits: str
    decision: str
    upstream: str


SAMPLES = (
    Sample("Allowed: anyone may read", 200, "intern", "/catalogue/items"),
    Sample("Allowed: hr_access opens /hr/", 200, "hr", "/hr/salaries"),
    Sample("Denied by policy: no hr_access", 403, "intern", "/hr/salaries"),
    Sample("Denied: another spelling of /hr/", 403, "intern", "/x/..//%68r/salaries"),
    Sample("Denied by policy: local file content", 403, "intern", "/notes", body='{"read": "file:///home/ines/payroll.csv"}'),
    Sample("Refused: no token", 401, None, "/catalogue/items"),
    Sample(
        "Redacted: an SSN in the query, a key in a header", 200, "dev", "/search?q=123-45-6789&page=2",
        headers={"x-note": "deploy with AKIADEMODEMODEMO2345"},
    ),
    Sample(
        "Pretended: identity headers of the client's own change nothing", 200, "intern", "/whoami",
        headers={"x-agent-gateway-user": "hanna", "x-agent-gateway-roles": "hr_access"},
    ),
    # Five a minute: of eleven within seconds, at least six fall into one minute, wherever it turns over.
    Sample("Limited: five reports a minute, then 429", 429, "intern", "/reports/q3", at_most=11),
)  # fmt: skip


def curl_lines(state: State) -> list[tuple[str, str]]:
    """Each sample's title and the line to paste into a shell."""
    return [(sample.title, _curl(sample, state)) for sample in SAMPLES]


def _curl(sample: Sample, state: State) -> str:
    words = ["curl", "-sS", "--path-as-is", "-o", "-", "-w", "\\n%{http_code}\\n", "--cacert", state.ca_file]
    if sample.agent is not None:
        words += ["-H", f"Authorization: Bearer {state.agents[sample.agent].token}"]
    for name, value in sample.headers.items():
        words += ["-H", f"{name}: {value}"]
    if sample.body is not None:
        words += ["-X", "GET", "-H", "Content-Type: application/json", "-d", sample.body]
    line = shlex.join([*words, state.gateway_url + sample.target])
    if sample.at_most == 1:
        return line
    ended = f"case $answer in *{sample.expected}) break ;; esac"
    return f'for n in $(seq {sample.at_most}); do answer=$({line}); echo "$answer"; {ended}; done'


async def run(state: State) -> AsyncIterator[Outcome]:
    """Send every sample through the gateway, and tell what became of it."""
    trust = ssl.create_default_context(cafile=state.ca_file)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
        for sample in SAMPLES:
            headers: dict[str, str] = {}
            status, body = 0, ""
            for _ in range(sample.at_most):
                status, body, headers = await _send(session, sample, state)
                if status == sample.expected:
                    break
            limited = "; then over a limit" if status == HTTPStatus.TOO_MANY_REQUESTS else ""
            yield Outcome(
                title=sample.title,
                request=f"GET {sample.target} as {sample.agent or 'nobody'}{_extras(sample)}",
                status=status,
                expected=sample.expected,
                limits=_limits(headers),
                decision=f"{await _decision(state, headers, body)}{limited}",
                upstream=_upstream(status, body),
            )


def text(outcome: Outcome) -> str:
    """An outcome for the terminal."""
    limits = f"  ({outcome.limits})" if outcome.limits else ""
    mark = "" if outcome.status == outcome.expected else f"   ← expected {outcome.expected}"
    return (
        f"\n▸ {outcome.title}\n"
        f"    request    {outcome.request}\n"
        f"    answer     {outcome.status}{limits}{mark}\n"
        f"    decision   {outcome.decision}\n"
        f"    upstream   {outcome.upstream}"
    )


async def _send(session: aiohttp.ClientSession, sample: Sample, state: State) -> tuple[int, str, dict[str, str]]:
    headers = dict(sample.headers)
    if sample.agent is not None:
        headers["Authorization"] = f"Bearer {state.agents[sample.agent].token}"
    if sample.body is not None:
        headers["Content-Type"] = "application/json"
    url = URL(state.gateway_url + sample.target, encoded=True)  # keeps the path as it is written
    async with session.get(url, headers=headers, data=sample.body) as response:
        return response.status, await response.text(), {key.lower(): value for key, value in response.headers.items()}


def _extras(sample: Sample) -> str:
    parts = [f"{name}: {value}" for name, value in sample.headers.items()]
    parts += [f"body {sample.body}"] if sample.body else []
    parts += [f"until {sample.expected}, at most {sample.at_most} times"] if sample.at_most > 1 else []
    return f"  ({'; '.join(parts)})" if parts else ""


def _limits(headers: Mapping[str, str]) -> str:
    return ", ".join(
        f"{name} {headers[name]}" for name in ("x-ratelimit-remaining", "x-ratelimit-reset") if name in headers
    )


async def _decision(state: State, headers: Mapping[str, str], body: str) -> str:
    """Find the decision in the audit log by its id. It is written beside the request, so it may take a moment."""
    decision_id = headers.get("x-agent-gateway-decision-id") or _parse(body).get("decision_id")
    for _ in range(20 if decision_id else 0):
        event = await asyncio.to_thread(_find_event, Path(state.audit_file), str(decision_id))
        if event is not None:
            found = ", ".join(f"{note['entity']} in {note['location']} {note['name']}" for note in event["findings"])
            tail = f"; found {found}" if found else ""
            return f"{event['decision']} by {event['policy_id']}: {event['reason']}{tail}"
        await asyncio.sleep(0.05)
    return "none: refused before the policy was asked"


def _find_event(file: Path, decision_id: str) -> dict[str, Any] | None:
    lines = file.read_text().splitlines()
    # Events of its bodies bear the same id.
    events = (_parse(line) for line in reversed(lines) if f'"{decision_id}"' in line)
    return next((event for event in events if "decision" in event), None)


def _upstream(status: int, body: str) -> str:
    if status != HTTPStatus.OK:
        return "saw nothing"
    seen = _parse(body)
    headers = dict(seen.get("headers", []))
    shown = [f"{name}: {headers[name]}" for name in _SHOWN_HEADERS if name in headers]
    return f"saw {seen.get('method')} {seen.get('path')}  ({'; '.join(shown)})"


def _parse(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
