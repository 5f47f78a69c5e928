"""A gRPC service of the tests' own: its descriptors, and messages of it."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import DESCRIPTOR as TIMESTAMP

SERVICE = "books.v1.Books"


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="books.proto", package="books.v1", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    book = file.message_type.add(name="Book")
    kinds = FieldDescriptorProto
    fields = [
        ("title", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL, ""),
        ("page_count", kinds.TYPE_INT64, kinds.LABEL_OPTIONAL, ""),
        ("weight", kinds.TYPE_DOUBLE, kinds.LABEL_OPTIONAL, ""),
        ("cover", kinds.TYPE_BYTES, kinds.LABEL_OPTIONAL, ""),
        ("marks", kinds.TYPE_INT32, kinds.LABEL_REPEATED, ""),
        ("printed", kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL, ".google.protobuf.Timestamp"),
        ("sequel", kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL, ".books.v1.Book"),
    ]
    for number, (name, kind, label, type_name) in enumerate(fields, 1):
        field = book.field.add(name=name, number=number, type=kind, label=label)
        if type_name:
            field.type_name = type_name
    service = file.service.add(name="Books")
    for name, streams in (("Put", False), ("PutMany", True)):
        service.method.add(
            name=name, input_type=".books.v1.Book", output_type=".books.v1.Book", client_streaming=streams
        )
    return file


def descriptor_set(*, whole: bool = True) -> FileDescriptorSet:
    """The descriptors, with or without protobuf's own file that they import."""
    found = FileDescriptorSet()
    found.file.append(_file())
    if whole:
        TIMESTAMP.CopyToProto(found.file.add())
    return found


def message(**fields: Any) -> bytes:
    """A book, from its JSON."""
    pool = DescriptorPool()
    for file in reversed(descriptor_set().file):
        pool.Add(file)
    book = GetMessageClass(pool.FindMessageTypeByName("books.v1.Book"))()
    json_format.ParseDict(fields, book)
    return bytes(book.SerializeToString())


def framed(data: bytes, *, compressed: bool = False, length: int | None = None) -> bytes:
    """A message behind its prefix."""
    return bytes([compressed]) + (len(data) if length is None else length).to_bytes(4, "big") + data
