"""gRPC server reflection: lets `grpcurl` and its like list the services and learn their messages.

https://github.com/grpc/grpc/blob/master/doc/server-reflection.md, v1alpha, which every client knows. What it says of
the wire is in the .proto files that everybody has: it tells nothing of the configuration.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2

from service_kit.rpc import Service, Status

_DESCRIPTOR = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]


def reflection(services: Sequence[Service]) -> Service:
    """Return the service that tells of `services` and of itself."""
    names = sorted({*(service.name for service in services), str(_DESCRIPTOR.full_name)})

    async def info(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for request in requests:
            yield _answer(request, names)

    return Service(_DESCRIPTOR, {"ServerReflectionInfo": info})


def _answer(request: Any, names: Sequence[str]) -> Any:
    answer = reflection_pb2.ServerReflectionResponse(valid_host=request.host, original_request=request)
    pool = descriptor_pool.Default()
    asked = request.WhichOneof("message_request")
    try:
        if asked == "list_services":
            for name in names:
                answer.list_services_response.service.add(name=name)
        elif asked == "file_by_filename":
            _describe(answer, pool.FindFileByName(request.file_by_filename))
        elif asked == "file_containing_symbol":
            _describe(answer, pool.FindFileContainingSymbol(request.file_containing_symbol))
        else:
            _fail(answer, Status.UNIMPLEMENTED, "extensions are not told")
    except KeyError:
        _fail(answer, Status.NOT_FOUND, "not known here")
    return answer


def _describe(answer: Any, file: Any) -> None:
    """Add a file and all that it imports, each once."""
    waiting, seen = [file], {file.name}
    while waiting:
        file = waiting.pop()
        answer.file_descriptor_response.file_descriptor_proto.append(file.serialized_pb)
        for other in file.dependencies:
            if other.name not in seen:
                seen.add(other.name)
                waiting.append(other)


def _fail(answer: Any, status: Status, text: str) -> None:
    answer.error_response.error_code = status.value
    answer.error_response.error_message = text
