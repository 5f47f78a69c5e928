"""The built-in function http.send. Where no hosts are named that it may reach, it is off.

Within an evaluation the same request is sent once. Between evaluations a response is kept only where the policy asks
for it (`cache`, `force_cache`).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from authz_service.rego_engine.builtins.context import Context, HttpSender
from authz_service.rego_engine.builtins.http_messages import HttpRequest, HttpResponse, NetworkFault
from authz_service.rego_engine.builtins.http_requests import (
    Fields,
    fields,
    flag,
    identity,
    kept_seconds,
    request,
    timeout,
)
from authz_service.rego_engine.builtins.http_responses import CACHEABLE, Kept, fresh_until, refreshed, shown
from authz_service.rego_engine.builtins.registry import builtin, obj
from authz_service.rego_engine.builtins.rego_text import write
from authz_service.rego_engine.builtins.texts import octets
from authz_service.rego_engine.errors import BuiltinFault, DeadlineExceeded
from authz_service.rego_engine.values import Value

NAME: Final = "http.send"
OFF: Final = "it is off: it is switched on by naming the hosts that policies may send requests to"
INTERNAL_ERROR: Final = "eval_http_send_internal_error"
NETWORK_ERROR: Final = "eval_http_send_network_error"

_SECOND: Final = 1_000_000_000  # nanoseconds
_NOT_MODIFIED: Final = 304


@builtin(NAME, context=True)
def send(context: Context, request: Value) -> Value:
    """Send a request and return the response, or where the request says so, why there is none."""
    raises = obj(request, 1).get("raise_error", True)
    if type(raises) is not bool:
        raise BuiltinFault("invalid value for raise_error field")
    try:
        return _answer(context, fields(request, 1))
    except BuiltinFault as fault:
        if context.remaining() <= 0:
            raise DeadlineExceeded from None
        if raises:
            raise
        is_network = isinstance(fault, NetworkFault)
        code, text = (NETWORK_ERROR, fault.text) if is_network else (INTERNAL_ERROR, f"{NAME}: {fault.text}")
        return {"status_code": 0, "error": {"code": code, "message": text}}


def _answer(context: Context, given: Fields) -> Value:
    """Return a response of this evaluation, or else of an earlier one, or else a new one."""
    same = octets(write(identity(given)))
    found = context.cache.get((NAME, same))
    if isinstance(found, BuiltinFault):
        raise found
    if found is not None:
        return found
    sender = context.http
    if sender is None:
        raise BuiltinFault(OFF)
    exchange = _Exchange(context, sender, given, hashlib.sha256(same).digest())
    try:
        response = exchange.response()
    except BuiltinFault as fault:
        context.cache[NAME, same] = fault
        raise
    answer = shown(response, as_json=exchange.as_json, as_yaml=exchange.as_yaml)
    if exchange.is_kept or response.status in CACHEABLE:
        context.cache[NAME, same] = answer
    return answer


class _Exchange:
    """One call's way to a response."""

    def __init__(self, context: Context, sender: HttpSender, given: Fields, digest: bytes) -> None:
        self.as_json = flag(given, "force_json_decode")
        self.as_yaml = flag(given, "force_yaml_decode")
        self.is_kept = flag(given, "cache") | flag(given, "force_cache")
        self._seconds = kept_seconds(given)
        self._context = context
        self._sender = sender
        self._digest = digest
        self._request = request(given)
        self._timeout = timeout(given)

    def response(self) -> HttpResponse:
        """Return a response that was kept, is still fresh or turns out to be current; else a new one."""
        kept = self._sender.responses.get(self._digest) if self.is_kept else None
        if kept is None:
            return self._keep(self._send(self._request))
        if self._context.time_ns < kept.fresh_until_ns:
            return kept.response
        self._sender.responses.drop(self._digest)
        answer = self._send(_conditional(self._request, kept.response))
        return self._keep(refreshed(kept.response, answer) if answer.status == _NOT_MODIFIED else answer)

    def _send(self, asked: HttpRequest) -> HttpResponse:
        left = self._context.remaining()
        if left <= 0:
            raise NetworkFault("the evaluation has no time left for a request")
        return self._sender.send(asked, min(left, self._timeout or left))

    def _keep(self, response: HttpResponse) -> HttpResponse:
        if self.is_kept and response.status in CACHEABLE:
            now = self._context.time_ns
            until = fresh_until(response, now) if self._seconds is None else now + self._seconds * _SECOND
            if until is not None:
                self._sender.responses.put(self._digest, Kept(response, until))
        return response


def _conditional(asked: HttpRequest, kept: HttpResponse) -> HttpRequest:
    """Return a request that asks whether a kept response is still current (RFC 9110 section 13.1)."""
    validators = {"If-None-Match": kept.header("etag"), "If-Modified-Since": kept.header("last-modified")}
    return replace(asked, headers=(*asked.headers, *((name, value) for name, value in validators.items() if value)))
