"""A request's body: which form it has, whether it came whole, and what it says; each is found out when it is asked for.

The form is what the parsed `Content-Type` names. A body of no form that is known here has no value. One that is not
what it says it is, or that servers may read in more ways than one, is refused.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from authz_service.errors import RequestRefused
from authz_service.model import HttpRequest
from authz_service.policy.bodies.form import FormError, read_form
from authz_service.policy.bodies.json_body import JsonBodyError, read_json
from authz_service.policy.bodies.media_type import Parameterized, ParameterizedError, parse
from authz_service.policy.bodies.multipart import MultipartError, read_multipart

MAX_BYTES: Final = 1024 * 1024  # of a body that is read
PARTIAL: Final = "x-envoy-auth-partial-body"  # Envoy's own: it takes a client's header of this name off
_LENGTH: Final = re.compile(r"[0-9]{1,19}")
_FRAMED: Final = frozenset(
    {"application/grpc", "application/grpc+proto", "application/grpc-web", "application/grpc-web+proto"}
)


class MessageReader(Protocol):
    """What knows the messages of gRPC methods."""

    def read(self, service: str, method: str, frame: bytes) -> Any:
        """Return a body's first message as JSON, None where it cannot be told; or raise `ValueError`."""
        ...

    def is_cut(self, frame: bytes) -> bool:
        """Whether a body's first message is longer than what has come."""
        ...


@dataclass(frozen=True, slots=True)
class BodyTerms:
    """On what terms bodies are read. `skip`: not at all. `messages` reads gRPC; None: nobody does."""

    skip: bool = False
    messages: MessageReader | None = None


class Form(enum.Enum):
    """What a body may be."""

    JSON = enum.auto()
    FORM = enum.auto()
    MULTIPART = enum.auto()
    GRPC = enum.auto()
    OTHER = enum.auto()


class Body:
    """The body of one request. `path` is the request's canonical path, by which a gRPC method is found."""

    def __init__(self, request: HttpRequest, path: str, terms: BodyTerms) -> None:
        self._request = request
        self._path = path
        self._terms = terms

    @cached_property
    def truncated(self) -> bool:
        """Whether less of it came than was sent: as Envoy says, or by the length that it says of itself.

        Raises:
            RequestRefused: its length is no number.
        """
        headers, body = self._request.headers, self._request.body
        if headers.get(PARTIAL, "").strip().lower() == "true":
            return True
        length = headers.get("content-length")
        if length is not None:
            if not _LENGTH.fullmatch(length):
                raise RequestRefused("content_length_malformed", "the content length is no number")
            if int(length) > len(body):
                return True
        messages = self._terms.messages
        return messages is not None and messages.is_cut(body) and self.form is Form.GRPC

    @cached_property
    def media(self) -> Parameterized:
        """Its media type, an empty word where none is told.

        Raises:
            RequestRefused: it is not of that form, such as where there are two.
        """
        written = self._request.headers.get("content-type", "")
        if not written.strip():
            return Parameterized("", {})
        try:
            return parse(written)
        except ParameterizedError as error:
            raise RequestRefused("content_type_malformed", "the content type is malformed") from error

    @property
    def form(self) -> Form:
        """Which form its media type names. Raises as `media` does."""
        word = self.media.word
        if word in _FRAMED:
            return Form.GRPC
        if word.startswith("application/grpc"):  # with another encoding: +json is framed, and so no JSON
            return Form.OTHER
        if self.media.is_json:
            return Form.JSON
        if word == "application/x-www-form-urlencoded":
            return Form.FORM
        return Form.MULTIPART if word == "multipart/form-data" else Form.OTHER

    @cached_property
    def value(self) -> Any:
        """What it says; None where it did not come whole, is empty, or has no form that is known.

        Raises:
            RequestRefused: it is not what its headers say, or is too large, or encoded.
        """
        if self.truncated or self.form is Form.OTHER:
            return None
        if len(self._request.body) > MAX_BYTES:
            raise RequestRefused("body_too_large", "the body is too large to be judged")
        if self.form is Form.GRPC:
            return self._message()
        if not self._request.body:
            return None
        if self._request.headers.get("content-encoding", "").strip().lower() not in {"", "identity"}:
            raise RequestRefused("body_encoded", "the body is encoded, and cannot be judged")
        if not self.media.is_utf_8:
            raise RequestRefused("charset_unsupported", "the body is not in UTF-8")
        try:
            return self._fields_or_json()
        except (JsonBodyError, FormError, MultipartError, UnicodeDecodeError) as error:
            raise _malformed() from error

    def _fields_or_json(self) -> Any:
        content = self._request.body
        if self.form is Form.JSON:
            return read_json(content)
        if self.form is Form.FORM:
            return read_form(content.decode("utf-8"))
        boundary = self.media.parameters.get("boundary")
        return None if boundary is None else read_multipart(content, boundary)

    def _message(self) -> Any:
        messages = self._terms.messages
        if messages is None or not self._request.body_is_raw:  # as text, its octets are no longer what was sent
            return None
        service, slash, method = self._path.removeprefix("/").partition("/")
        if not slash or "/" in method:
            raise RequestRefused("path_malformed", "the path names no gRPC method")
        try:
            return messages.read(service, method, self._request.body)
        except ValueError as error:
            raise _malformed() from error


def _malformed() -> RequestRefused:
    return RequestRefused("body_malformed", "the body is not what its content type says")
