"""gRPC bodies by the operator's descriptors: framed message → JSON as protojson writes it.

The descriptors are a `FileDescriptorSet`, as `protoc --include_imports --descriptor_set_out` writes it. Only the first
message of a body is read, and none of a method to which the client streams: of those Envoy shows the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from authz_service.rego_engine import values

MAX_DESCRIPTOR_BYTES: Final = 16 * 1024 * 1024
MAX_MESSAGE_BYTES: Final = 1024 * 1024
MAX_VALUES: Final = 20_000  # of one message: each becomes JSON by itself, in microseconds
PREFIX_BYTES: Final = 5  # one that tells whether the message is compressed, four of its length


class GrpcBodyError(ValueError):
    """A body that is no message of its method, or one that is too large to be read."""


class DescriptorError(ValueError):
    """Descriptors that cannot be used."""


class Methods:
    """The methods of some descriptors, by service and name."""

    def __init__(self, methods: Mapping[tuple[str, str], MethodDescriptor], pool: DescriptorPool) -> None:
        self._methods = methods
        self._pool = pool

    def read(self, service: str, method: str, frame: bytes) -> values.Value:
        """Return the message that a body begins with; None where the method is not known or the client streams.

        None, too, where the message is compressed, or has not come whole.

        Raises:
            GrpcBodyError: the body has no prefix, or holds no message of the method's input, or one too large.
        """
        if len(frame) < PREFIX_BYTES:
            raise GrpcBodyError("no prefix")
        found = self._methods.get((service, method))
        if found is None or found.client_streaming or frame[0] or self.is_cut(frame):
            return None
        length = int.from_bytes(frame[1:PREFIX_BYTES], "big")
        if length > MAX_MESSAGE_BYTES:
            raise GrpcBodyError(f"more than {MAX_MESSAGE_BYTES} bytes")
        message = GetMessageClass(found.input_type)()
        try:
            message.ParseFromString(frame[PREFIX_BYTES : PREFIX_BYTES + length])
            _count(message)
            text = json_format.MessageToJson(message, indent=None, descriptor_pool=self._pool)
            return values.read(text)
        except (DecodeError, ValueError, TypeError, RecursionError, json_format.Error):  # whose texts quote the message
            raise GrpcBodyError("no message of this method, or one that is too large") from None

    def is_cut(self, frame: bytes) -> bool:
        """Whether the message that a body begins with is longer than what has come."""
        return len(frame) >= PREFIX_BYTES and int.from_bytes(frame[1:PREFIX_BYTES], "big") > len(frame) - PREFIX_BYTES


def load_methods(data: bytes) -> Methods:
    """Load the methods of a `FileDescriptorSet`, or raise `DescriptorError`, whose text is for the operator."""
    if len(data) > MAX_DESCRIPTOR_BYTES:
        raise DescriptorError(f"is larger than {MAX_DESCRIPTOR_BYTES} bytes")
    try:
        found = FileDescriptorSet.FromString(data)
    except DecodeError as error:
        raise DescriptorError("is no FileDescriptorSet (protoc --include_imports --descriptor_set_out)") from error
    files = {file.name: file for file in found.file}
    pool = DescriptorPool()
    added: set[str] = set()
    for name in files:
        _add(name, files, pool, added)
    methods = {
        (service.full_name, method.name): method
        for name in files
        for service in pool.FindFileByName(name).services_by_name.values()
        for method in service.methods
    }
    if not methods:
        raise DescriptorError("describes no service")
    return Methods(methods, pool)


def _add(first: str, files: Mapping[str, FileDescriptorProto], pool: DescriptorPool, added: set[str]) -> None:
    """Put a file into the pool, after the files that it imports."""
    waiting = [first]
    under_way: set[str] = set()
    while waiting:
        name = waiting[-1]
        if name in added:
            waiting.pop()
            continue
        file = files.get(name) or _well_known(name)
        missing = [needed for needed in file.dependency if needed not in added]
        if missing and name in under_way:
            raise DescriptorError(f"has files that import one another in a circle, {name} among them")
        under_way.add(name)
        if missing:
            waiting += missing
            continue
        try:
            pool.Add(file)
        except (TypeError, ValueError, KeyError) as error:
            raise DescriptorError(f"has the file {name}, which cannot be used: {error}") from error
        added.add(waiting.pop())


def _well_known(name: str) -> FileDescriptorProto:
    """Return one of protobuf's own files, which a set may leave out."""
    copy = FileDescriptorProto()
    try:
        if name.startswith("google/protobuf/"):
            Default().FindFileByName(name).CopyToProto(copy)
            return copy
    except KeyError:
        pass
    raise DescriptorError(f"lacks the file {name}, which another imports (protoc --include_imports)")


def _count(message: Message) -> None:
    """Raise `GrpcBodyError` where a message holds more than `MAX_VALUES` values."""
    count = 0
    waiting: list[Any] = [message]
    while waiting:
        for field, value in waiting.pop().ListFields():
            several = value.values() if _is_map(value) else value if field.is_repeated else (value,)
            count += len(several)
            if count > MAX_VALUES:
                raise GrpcBodyError(f"more than {MAX_VALUES} values")
            waiting += [item for item in several if isinstance(item, Message)]


def _is_map(value: Any) -> bool:
    return hasattr(value, "GetEntryClass")
