"""Messages as Envoy writes them become events, and actions messages as it reads them."""

from __future__ import annotations

from google.protobuf.json_format import MessageToDict

from authz_service.dlp.actions import Direction
from authz_service.exchange.events import Answer, BodyCame, BodyGoes, Change, HeadersCame, HeadersGo, TrailersGo
from authz_service.servicers.ext_proc_messages import METADATA, event_of, metadata_of, response_of
from service_kit.wire import envoy_core_pb2, ext_proc_pb2

REQUEST = Direction.REQUEST
Message = ext_proc_pb2.ProcessingRequest


def test_actions_are_written_as_envoy_reads_them() -> None:
    change = Change([("a", "1"), ("a", "2")], ["b"])
    mutation = response_of(HeadersGo(REQUEST, change)).request_headers.response.header_mutation
    assert [(each.header.key, each.header.raw_value, each.append_action) for each in mutation.set_headers] == [
        ("a", b"1", envoy_core_pb2.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD),
        ("a", b"2", envoy_core_pb2.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD),
    ]
    assert list(mutation.remove_headers) == ["b"]
    part = response_of(BodyGoes(REQUEST, b"", streamed=True, end=True)).request_body.response.body_mutation
    assert part.WhichOneof("mutation") == "streamed_response"
    assert part.streamed_response.end_of_stream
    assert response_of(BodyGoes(REQUEST, b"")).request_body.response.body_mutation.clear_body
    assert not response_of(BodyGoes(REQUEST, None)).request_body.response.HasField("body_mutation")
    assert response_of(TrailersGo(Direction.RESPONSE)).WhichOneof("response") == "response_trailers"
    assert response_of(Answer(502, [("x", "y")], "text", "code")).immediate_response.body == b"text"


def test_a_header_has_its_bytes_or_its_text_and_what_is_no_utf_8_is_replaced() -> None:
    headers = [
        envoy_core_pb2.HeaderValue(key="a", raw_value=b"\xff1"),
        envoy_core_pb2.HeaderValue(key="b", value="2"),
    ]
    part = ext_proc_pb2.HttpHeaders(headers=envoy_core_pb2.HeaderMap(headers=headers), end_of_stream=True)
    expected = HeadersCame(Direction.RESPONSE, [("a", "\ufffd1"), ("b", "2")], end=True)
    assert event_of(Message(response_headers=part)) == expected
    body = ext_proc_pb2.HttpBody(body=b"x", end_of_stream=True)
    assert event_of(Message(request_body=body)) == BodyCame(REQUEST, b"x", end=True)


def test_metadata_are_read_as_protobufs_own_json_reads_them() -> None:
    message = Message()
    struct = message.metadata_context.filter_metadata[METADATA]
    struct.update({"a": "1", "b": [True, None, {"c": 2.5, "d": []}], "e": {}})
    assert metadata_of(message) == MessageToDict(struct)
    assert metadata_of(Message()) == {}
