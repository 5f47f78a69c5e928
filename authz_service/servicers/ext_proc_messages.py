"""ProcessingRequest → events, actions → ProcessingResponse (Envoy's ext_proc v3)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from authz_service.dlp.actions import Direction
from authz_service.exchange.events import (
    Action,
    Answer,
    BodyCame,
    BodyGoes,
    Change,
    Event,
    Fields,
    HeadersCame,
    HeadersGo,
    Mode,
    Pause,
    Record,
    TrailersCame,
)
from authz_service.exchange.machine import Modes
from service_kit.rpc import RpcError, Status
from service_kit.wire import envoy_core_pb2, envoy_type_pb2, ext_proc_mode_pb2, ext_proc_pb2

METADATA = "envoy.filters.http.ext_authz"  # the namespace in which ext_authz says who calls

_OPTION = envoy_core_pb2.HeaderValueOption
_SEND = ext_proc_mode_pb2.ProcessingMode
_MODES = {
    _SEND.NONE: Mode.NONE,
    _SEND.BUFFERED: Mode.BUFFERED,
    _SEND.STREAMED: Mode.STREAMED,
    _SEND.FULL_DUPLEX_STREAMED: Mode.FULL_DUPLEX,
}


def event_of(request: Any) -> Event:
    """Read a message; raises `RpcError` for one that is none of an exchange."""
    if request.observability_mode:
        raise RpcError(Status.INVALID_ARGUMENT, "answers would not be heeded in observability_mode")
    kind = request.WhichOneof("request")
    if kind is None:
        raise RpcError(Status.INVALID_ARGUMENT, "a message without a part of an exchange")
    side, _, part = kind.partition("_")
    direction, message = Direction(side), getattr(request, kind)
    if part == "headers":
        return HeadersCame(direction, _fields(message.headers), message.end_of_stream)
    if part == "body":
        return BodyCame(direction, message.body, message.end_of_stream)
    return TrailersCame(direction, _fields(message.trailers))


def modes_of(request: Any) -> Modes:
    """Read how bodies come, which the first message says; raises `RpcError` where that is not safe, or not said."""
    if request.WhichOneof("request") not in {"request_headers", "response_headers"}:
        raise RpcError(Status.INVALID_ARGUMENT, "an exchange begins with headers")
    if not request.HasField("protocol_config"):
        raise RpcError(Status.INVALID_ARGUMENT, "the first message does not say how bodies come")
    said = request.protocol_config
    modes = [_MODES.get(mode) for mode in (said.request_body_mode, said.response_body_mode)]
    if modes[0] is None or modes[1] is None:
        raise RpcError(Status.INVALID_ARGUMENT, "a body mode that lets a part of a body pass unseen")
    return Modes(modes[0], modes[1])


def metadata_of(request: Any) -> Mapping[str, Any]:
    """What ext_authz said of the request, empty where it said nothing."""
    if METADATA not in request.metadata_context.filter_metadata:
        return {}
    fields = request.metadata_context.filter_metadata[METADATA].fields
    return {name: _plain(fields[name]) for name in fields}


def _plain(value: Any) -> Any:
    """A value of a Struct. MessageToDict takes five times as long, for each exchange."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        return {name: _plain(fields[name]) for name in fields}
    if kind == "list_value":
        return [_plain(each) for each in value.list_value.values]
    if kind == "number_value" and not math.isfinite(value.number_value):
        raise RpcError(Status.INVALID_ARGUMENT, "metadata that cannot be read")
    return None if kind in {None, "null_value"} else getattr(value, kind)


def response_of(action: Action) -> Any:
    """Write an action as Envoy reads it."""
    if isinstance(action, Answer):
        return ext_proc_pb2.ProcessingResponse(
            immediate_response=ext_proc_pb2.ImmediateResponse(
                status=envoy_type_pb2.HttpStatus(code=envoy_type_pb2.StatusCode.Name(action.status)),
                headers=_mutation(Change(action.headers)),
                body=action.body.encode(),
                details=action.code,
            )
        )
    assert not isinstance(action, Record | Pause)  # noqa: S101  (those are not for Envoy)
    mutation = _mutation(action.change)
    response = ext_proc_pb2.ProcessingResponse()
    if isinstance(action, HeadersGo):
        part = getattr(response, f"{action.direction}_headers")
        part.response.header_mutation.CopyFrom(mutation)
    elif isinstance(action, BodyGoes):
        common = getattr(response, f"{action.direction}_body").response
        common.header_mutation.CopyFrom(mutation)
        _put_body(common, action)
    else:
        part = getattr(response, f"{action.direction}_trailers")
        part.header_mutation.CopyFrom(mutation)
        part.SetInParent()
    return response


def _put_body(common: Any, action: BodyGoes) -> None:
    if action.streamed:
        streamed = common.body_mutation.streamed_response
        streamed.body, streamed.end_of_stream = action.data or b"", action.end
        streamed.SetInParent()
    elif action.data:
        common.body_mutation.body = action.data
    elif action.data is not None:
        common.body_mutation.clear_body = True


def _fields(headers: Any) -> Fields:
    """Header fields as text. Bytes that are not UTF-8 are replaced: nothing is written back that was not changed."""
    return [(each.key, (each.raw_value or each.value.encode()).decode("utf-8", "replace")) for each in headers.headers]


def _mutation(change: Change) -> Any:
    """Write a change: the first of a name overwrites, the others of that name are added to it."""
    return ext_proc_pb2.HeaderMutation(set_headers=list(_options(change.set)), remove_headers=change.remove)


def _options(fields: Fields) -> Iterator[Any]:
    seen: set[str] = set()
    for name, value in fields:
        action = _OPTION.APPEND_IF_EXISTS_OR_ADD if name in seen else _OPTION.OVERWRITE_IF_EXISTS_OR_ADD
        seen.add(name)
        header = envoy_core_pb2.HeaderValue(key=name, raw_value=value.encode())
        yield _OPTION(header=header, append_action=action)
