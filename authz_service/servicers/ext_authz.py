"""CheckRequest ↔ HttpRequest, Decision ↔ CheckResponse (Envoy's ext_authz v3)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from google.protobuf.struct_pb2 import Struct, Value
from google.rpc.code_pb2 import OK, PERMISSION_DENIED, UNAUTHENTICATED, UNAVAILABLE

from authz_service.model import Decision, HttpRequest, Mutations, Outcome, Peer
from service_kit.rpc import RpcError, Service, Status
from service_kit.wire import envoy_core_pb2, envoy_type_pb2, ext_authz_pb2

_OVERWRITE = envoy_core_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
_APPEND = envoy_core_pb2.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
_RPC_CODES = {401: UNAUTHENTICATED, 503: UNAVAILABLE}


class Judge(Protocol):
    """What decides: the pipeline."""

    async def check(self, request: HttpRequest) -> Decision:
        """Judge a request."""
        ...


class ExtAuthzServicer:
    """`envoy.service.auth.v3.Authorization`."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def service(self) -> Service:
        """The service to serve."""
        return Service(ext_authz_pb2.DESCRIPTOR.services_by_name["Authorization"], {"Check": self.check})

    async def check(self, request: ext_authz_pb2.CheckRequest) -> ext_authz_pb2.CheckResponse:
        """Answer one check. A message without an HTTP request is INVALID_ARGUMENT, on which Envoy does not allow."""
        if not request.attributes.request.HasField("http"):
            raise RpcError(Status.INVALID_ARGUMENT, "no HTTP request in the attributes")
        return to_response(await self._judge.check(to_request(request.attributes)))


def to_request(attributes: ext_authz_pb2.AttributeContext) -> HttpRequest:
    """Read the attributes that Envoy sends."""
    http = attributes.request.http
    headers = dict(http.headers)
    lines = tuple((header.key, header.raw_value or header.value.encode()) for header in http.header_map.headers)
    for name, raw in lines:  # encode_raw_headers: repeated headers come apart, and as bytes
        # Bytes that are not UTF-8 are replaced: as surrogates they could not be written to policy, log and answer.
        value = raw.decode("utf-8", "replace")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    has_time = attributes.request.HasField("time")
    return HttpRequest(
        method=http.method,
        path=http.path,
        host=http.host,
        scheme=http.scheme,
        protocol=http.protocol,
        id=http.id,
        headers=headers,
        header_lines=lines,
        body=http.raw_body or http.body.encode(),
        body_is_raw=bool(http.raw_body),
        size=http.size,
        seconds=attributes.request.time.seconds if has_time else None,
        nanos=attributes.request.time.nanos,
        source=_peer(attributes.source),
        destination=_peer(attributes.destination),
        sni=attributes.tls_session.sni,
        context_extensions=dict(attributes.context_extensions),
        metadata=_metadata(attributes.metadata_context),
        route_metadata=_metadata(attributes.route_metadata_context),
    )


def to_response(decision: Decision) -> ext_authz_pb2.CheckResponse:
    """Write a decision as Envoy reads it. A denial and an outage differ, so that Envoy counts them apart."""
    response = ext_authz_pb2.CheckResponse(dynamic_metadata=_struct(decision.metadata))
    if decision.outcome is Outcome.ALLOW:
        response.status.code = OK
        _put_mutations(response.ok_response, decision.mutations)
        return response
    response.status.code = _RPC_CODES.get(decision.status, PERMISSION_DENIED)
    response.status.message = decision.code
    refused = response.denied_response if decision.outcome is Outcome.DENY else response.error_response
    refused.status.CopyFrom(envoy_type_pb2.HttpStatus(code=envoy_type_pb2.StatusCode.Name(decision.status)))
    refused.headers.extend(_refusal_headers(decision.headers))
    refused.body = decision.body or ""
    return response


def _put_mutations(ok: ext_authz_pb2.OkHttpResponse, mutations: Mutations) -> None:
    """Write what changes. Most requests have little of it, and to write nothing takes its time too."""
    ok.SetInParent()
    if mutations.set_headers:
        ok.headers.extend(_request_headers(mutations.set_headers))
    if mutations.remove_headers:
        ok.headers_to_remove.extend(mutations.remove_headers)
    if mutations.response_headers:
        ok.response_headers_to_add.extend(_response_headers(mutations.response_headers))
    if mutations.set_query:
        ok.query_parameters_to_set.extend(
            envoy_core_pb2.QueryParameter(key=key, value=value) for key, value in mutations.set_query
        )
    if mutations.remove_query:
        ok.query_parameters_to_remove.extend(mutations.remove_query)


def _request_headers(pairs: Sequence[tuple[str, str]]) -> list[envoy_core_pb2.HeaderValueOption]:
    """Headers of a request: the first of a name overwrites, the others of that name are added to it."""
    first = {name: index for index, (name, _) in reversed(list(enumerate(pairs)))}
    return [_option(name, value, append=first[name] != index) for index, (name, value) in enumerate(pairs)]


def _refusal_headers(pairs: Sequence[tuple[str, str]]) -> list[envoy_core_pb2.HeaderValueOption]:
    """Headers of a response of Envoy's own. It takes off its own of these names, and writes all that overwrite.

    Those that are added it leaves out.
    """
    return [_option(name, value, append=False) for name, value in pairs]


def _response_headers(pairs: Sequence[tuple[str, str]]) -> list[envoy_core_pb2.HeaderValueOption]:
    """Headers of the upstream's response: one overwrites, several of a name are added, and cookies always.

    Envoy adds first and overwrites then, so that one which overwrites would undo those of its name that are added.
    """
    count = Counter(name for name, _ in pairs)
    return [_option(name, value, append=count[name] > 1 or name == "set-cookie") for name, value in pairs]


def _option(name: str, value: str, *, append: bool) -> envoy_core_pb2.HeaderValueOption:
    """Write one header. Both switches are set: Envoy's versions differ in which they heed."""
    option = envoy_core_pb2.HeaderValueOption(
        header=envoy_core_pb2.HeaderValue(key=name, value=value), append_action=_APPEND if append else _OVERWRITE
    )
    option.append.value = append
    return option


def _peer(peer: ext_authz_pb2.AttributeContext.Peer) -> Peer:
    address = peer.address.socket_address
    return Peer(
        address=address.address or peer.address.pipe.path,
        port=address.port_value,
        principal=peer.principal,
        certificate=peer.certificate,
        service=peer.service,
        labels=dict(peer.labels),
        is_pipe=peer.address.HasField("pipe"),
    )


def _metadata(metadata: envoy_core_pb2.Metadata) -> Mapping[str, Mapping[str, Any]]:
    return {name: _object(fields) for name, fields in metadata.filter_metadata.items()}


def _object(fields: Struct) -> dict[str, Any]:
    return {name: _value(value) for name, value in fields.fields.items()}


def _value(value: Value) -> Any:
    """Read a value as protojson does, and what is no number as it writes a double: as `NaN`, `Infinity`."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _object(value.struct_value)
    if kind == "list_value":
        return [_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        if not math.isfinite(number):
            return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
        return int(number) if number.is_integer() else number
    return None if kind is None or kind == "null_value" else getattr(value, kind)


def _struct(values: Mapping[str, Any]) -> Struct:
    struct = Struct()
    fields = struct.fields
    for name, value in values.items():
        if type(value) is str:
            fields[name].string_value = value
        elif type(value) is list and all(type(each) is str for each in value):
            listed = fields[name].list_value.values
            fields[name].list_value.SetInParent()
            for each in value:
                listed.add().string_value = each
        else:
            struct.update({name: value})
    return struct
