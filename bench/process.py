"""authz_service's Process: an exchange from its serialised messages to the serialised answers, shipped detectors.

One process and no gRPC: the CPU time of one exchange is what a core spends on looking at one request and its answer.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from itertools import count
from typing import Any

from authz_service.denials import Denials
from authz_service.dlp.terms import open_terms
from authz_service.exchange.bodies import ScannedBodies
from authz_service.exchange.body import Terms
from authz_service.pipeline import Clock
from authz_service.servicers.ext_proc import ExtProcServicer
from authz_service.servicers.ext_proc_messages import METADATA
from authz_service.settings.dlp import DlpSettings
from bench.dlp_speed import KIB, dense
from bench.judging import NoAudit
from bench.measure import Figures, measure
from service_kit.wire import envoy_core_pb2, ext_proc_mode_pb2, ext_proc_pb2

EXCHANGES = 2_000
SEED = 20_261_126
SAID = {
    "user": "alice@company.example", "agent": "alice-laptop", "issuer": "https://idp.example", "roles": ["engineer"],
    "endpoint": "/reports", "decision_id": "0b0c7b16-5a7e-4a0c-8f2c-2f6f1f0d3c11",
}  # fmt: skip
REQUEST = {
    ":scheme": "https", ":method": "GET", ":authority": "api.example", ":path": "/reports/q3?page=2", "accept": "*/*",
    "user-agent": "agent/1.0 (desktop)", "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https",
    "x-request-id": str(uuid.UUID(int=SEED)), "x-agent-gateway-user": "alice@company.example",
}  # fmt: skip
ANSWER = {":status": "200", "content-type": "application/json", "date": "Thu, 26 Nov 2026 11:00:00 GMT",
          "server": "envoy", "x-envoy-upstream-service-time": "1"}  # fmt: skip
SMALL = b'{"ok": true}\n'
_MODES = ext_proc_mode_pb2.ProcessingMode


def _headers(side: str, named: Mapping[str, str], *, end: bool) -> Any:
    headers = [envoy_core_pb2.HeaderValue(key=key, raw_value=value.encode()) for key, value in named.items()]
    part = ext_proc_pb2.HttpHeaders(headers=envoy_core_pb2.HeaderMap(headers=headers), end_of_stream=end)
    message = ext_proc_pb2.ProcessingRequest()
    getattr(message, f"{side}_headers").CopyFrom(part)
    return message


def _exchange(answer: bytes, body: bytes = b"") -> Sequence[bytes]:
    """What Envoy sends for a request and its answer, in the shipped modes."""
    first = _headers("request", REQUEST | ({":method": "POST", "content-type": "application/json"} if body else {}),
                     end=not body)  # fmt: skip
    first.protocol_config.request_body_mode = _MODES.BUFFERED
    first.protocol_config.response_body_mode = _MODES.FULL_DUPLEX_STREAMED
    first.metadata_context.filter_metadata[METADATA].update(SAID)
    messages = [first]
    if body:
        messages.append(ext_proc_pb2.ProcessingRequest(
            request_body=ext_proc_pb2.HttpBody(body=body, end_of_stream=True)))  # fmt: skip
    messages.append(_headers("response", ANSWER | {"content-length": str(len(answer))}, end=False))
    for part, end in ((answer, False), (b"", True)):
        part_of = ext_proc_pb2.HttpBody(body=part, end_of_stream=end)
        messages.append(ext_proc_pb2.ProcessingRequest(response_body=part_of))
    return [message.SerializeToString() for message in messages]


async def run() -> Sequence[Figures]:
    """Measure; the first row is what most requests are."""
    numbers = count()
    servicer = ExtProcServicer(
        ScannedBodies(open_terms(DlpSettings()), "block"), audit=NoAudit(), clock=Clock(time.time, time.perf_counter),
        new_id=lambda: str(next(numbers)), terms=Terms(), denials=Denials(),
    )  # fmt: skip

    async def exchange(messages: Sequence[bytes]) -> list[bytes]:
        async def came() -> AsyncIterator[Any]:
            for message in messages:
                yield ext_proc_pb2.ProcessingRequest.FromString(message)

        return [answer.SerializeToString() async for answer in servicer.process(came())]

    def row(name: str, messages: Sequence[bytes]) -> Callable[[], Awaitable[Figures]]:
        return measure(name, lambda: exchange(messages), EXCHANGES)

    notes = json.dumps([{"n": n, "note": "nothing of note " * 8} for n in range(60)]).encode()
    text = dense(random.Random(SEED), 8 * KIB)  # noqa: S311  (it only makes a text up)
    found = json.dumps([{"note": text[at : at + 200]} for at in range(0, len(text), 200)]).encode()
    rows = [
        row("a GET, 13 bytes of JSON back", _exchange(SMALL)),
        row(f"a GET, {len(notes):,} bytes of JSON back", _exchange(notes)),
        row(f"a POST of {len(notes):,} bytes of JSON, 13 bytes back", _exchange(SMALL, notes)),
        row(f"a GET, {len(found):,} bytes back, a finding each 200", _exchange(found)),
    ]
    return [await each() for each in rows]
