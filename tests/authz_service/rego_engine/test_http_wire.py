"""One exchange on a connection, against real servers: hostile ones first."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from authz_service.rego_engine import http_wire
from authz_service.rego_engine.builtins.http_messages import HttpResponse, NetworkFault, Tls
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.http_wire import Deadline, Endpoint, Wire
from tests.authz_service.rego_engine.http_servers import (
    LOCAL,
    Answer,
    Seen,
    certificate,
    server_context,
    serving,
    speaking,
)

GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
CERTIFICATE, KEY = certificate()
OTHER_CERTIFICATE, OTHER_KEY = certificate(of=31)


def exchange(
    port: int, *, seconds: float = 5.0, scheme: str = "http", most: int = 1_000, host: str = LOCAL, **more: Any
) -> HttpResponse:
    """Make an exchange."""
    environment = more.pop("environment", {})
    message = more.pop("message", GET)
    wire = Wire(environment, most)
    return wire.exchange(Endpoint(scheme, host, port), "GET", message, tls=Tls(**more), deadline=Deadline(seconds))


def fault_of(port: int, **more: Any) -> str:
    """Return the text of the network fault."""
    with pytest.raises(NetworkFault) as caught:
        exchange(port, **more)
    return caught.value.text


def ok(_: Seen) -> Answer:
    """Answer with a word."""
    return 200, {"X-A": "b"}, b"hello"


def drip(data: bytes, pause: float) -> Any:
    """Return a talk that writes octet after octet, for ever."""

    def talk(file: Any) -> None:
        for octet in data:
            file.write(bytes((octet,)))
            file.flush()
            time.sleep(pause)
        while True:
            file.write(b"x")
            file.flush()
            time.sleep(pause)

    return talk


# Attacks


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_does_not_outlast_the_deadline(start: bytes) -> None:
    """Each octet comes in time, and the whole never does."""
    with speaking(drip(start, 0.02)) as port:
        began = time.monotonic()
        assert "request timed out" in fault_of(port, seconds=0.3, most=10**6)
        assert time.monotonic() - began < 1.5


def test_a_server_that_says_nothing_does_not_outlast_the_deadline() -> None:
    with socket.create_server((LOCAL, 0)) as silent:
        port = silent.getsockname()[1]
        assert "request timed out" in fault_of(port, seconds=0.2)
        assert "request timed out" in fault_of(port, seconds=0.2, scheme="https")


def test_a_server_that_takes_nothing_does_not_outlast_the_deadline() -> None:
    with socket.create_server((LOCAL, 0)) as deaf:
        message = GET + b"x" * 50_000_000
        assert "request timed out" in fault_of(deaf.getsockname()[1], seconds=0.3, message=message)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 2_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"64\r\n" + b"x" * 100 + b"\r\n") * 11,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 60_000) for n in range(90)) + b"\r\n",
    ],
)  # fmt: skip
def test_an_answer_that_is_too_large_is_not_read_to_its_end(answer: bytes) -> None:
    """In its body, in its chunks, in what comes before it, in its headers."""

    def talk(file: Any) -> None:
        file.write(answer)
        file.flush()

    with speaking(talk) as port:
        assert "larger than it may be" in fault_of(port)


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    def talk(file: Any) -> None:
        file.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            file.write(b"x" * 65_536)

    with speaking(talk) as port:
        assert "larger than it may be" in fault_of(port, seconds=20)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"HTTP/1.1 200 " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)  # fmt: skip
def test_what_is_no_answer_is_a_network_fault(answer: bytes) -> None:
    def talk(file: Any) -> None:
        file.write(answer)

    with speaking(talk) as port:
        assert fault_of(port).startswith(f'GET "http://{LOCAL}:{port}": ')


def test_a_certificate_of_an_unknown_authority_is_not_accepted() -> None:
    with serving(ok, server_context(CERTIFICATE, KEY)) as server:
        assert "the certificate is not accepted" in fault_of(server.port, scheme="https")
        assert "the certificate is not accepted" in fault_of(server.port, scheme="https", authorities=OTHER_CERTIFICATE)
        assert server.seen == []


def test_a_certificate_of_another_name_is_not_accepted() -> None:
    named, key = certificate("other.example", of=32)
    with serving(ok, server_context(named, key)) as server:
        assert "the certificate is not accepted" in fault_of(server.port, scheme="https", authorities=named)
        assert exchange(server.port, scheme="https", authorities=named, server_name="other.example").status == 200


def test_a_name_that_takes_long_to_look_up_does_not_outlast_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    until = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: until.wait(5))
    began = time.monotonic()
    assert "request timed out" in fault_of(80, seconds=0.1, host="slow.example")
    assert time.monotonic() - began < 1
    until.set()


def test_look_ups_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_wire, "_look_ups", threading.BoundedSemaphore(1))
    until = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: until.wait(5))
    assert "timed out" in fault_of(80, seconds=0.1, host="slow.example")
    assert "too many names are being looked up" in fault_of(80, host="slow.example")
    until.set()


# What works


def test_an_answer_is_read() -> None:
    with serving(ok) as server:
        found = exchange(server.port)
    assert (found.status, found.reason, found.header("x-a"), found.body) == (200, "OK", "b", b"hello")


def test_chunks_are_put_together() -> None:
    def talk(file: Any) -> None:
        file.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")

    with speaking(talk) as port:
        found = exchange(port)
    assert found.body == b"hello!"
    assert found.headers == ()


def test_a_header_s_octets_are_utf_8() -> None:
    def talk(file: Any) -> None:
        file.write("HTTP/1.1 200 Ünd\r\nX-A:  é \r\nContent-Length: 0\r\n\r\n".encode())

    with speaking(talk) as port:
        found = exchange(port)
    assert found.header("x-a") == "é"
    assert found.reason == "Ünd"


@pytest.mark.parametrize("source", ["text", "escaped text", "file", "variable"])
def test_authorities_come_from_each_source(source: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(CERTIFICATE)
    settings: dict[str, dict[str, Any]] = {
        "text": {"authorities": CERTIFICATE},
        "escaped text": {"authorities": CERTIFICATE.replace("\n", "\\n")},
        "file": {"authorities_file": str(path)},
        "variable": {"authorities_variable": "CA", "environment": {"CA": CERTIFICATE}},
    }
    with serving(ok, server_context(CERTIFICATE, KEY)) as server:
        assert exchange(server.port, scheme="https", **settings[source]).status == 200


@pytest.mark.parametrize("source", ["text", "file", "variable"])
def test_a_client_shows_its_certificate(source: str, tmp_path: Path) -> None:
    for name, text in (("cert", OTHER_CERTIFICATE), ("key", OTHER_KEY)):
        (tmp_path / name).write_text(text)
    settings: dict[str, dict[str, Any]] = {
        "text": {"certificate": OTHER_CERTIFICATE, "key": OTHER_KEY},
        "file": {"certificate_file": str(tmp_path / "cert"), "key_file": str(tmp_path / "key")},
        "variable": {
            "certificate_variable": "C",
            "key_variable": "K",
            "environment": {"C": OTHER_CERTIFICATE, "K": OTHER_KEY},
        },
    }
    with serving(ok, server_context(CERTIFICATE, KEY, clients=OTHER_CERTIFICATE)) as server:
        assert exchange(server.port, scheme="https", authorities=CERTIFICATE, **settings[source]).status == 200
        assert fault_of(server.port, scheme="https", authorities=CERTIFICATE)


def test_verification_is_skipped_only_where_the_policy_says_so() -> None:
    with serving(ok, server_context(CERTIFICATE, KEY)) as server:
        assert exchange(server.port, scheme="https", skips_verification=True).status == 200


@pytest.mark.parametrize(
    "tls",
    [
        {"authorities": "x"}, {"authorities_file": "/nowhere"}, {"authorities_file": "/dev/zero"},
        {"authorities_file": "\0"}, {"certificate": "x", "key": "y"}, {"certificate": CERTIFICATE, "key": OTHER_KEY},
    ],
)  # fmt: skip
def test_settings_of_tls_that_cannot_be_used_are_a_fault(tls: dict[str, Any]) -> None:
    with pytest.raises(BuiltinFault) as caught:
        exchange(1, scheme="https", **tls)
    assert not isinstance(caught.value, NetworkFault)
    assert "PRIVATE" not in caught.value.text


def test_a_key_with_a_password_is_not_asked_for_at_the_terminal() -> None:
    encrypted = KEY.replace("BEGIN PRIVATE KEY", "BEGIN ENCRYPTED PRIVATE KEY")
    with pytest.raises(BuiltinFault):
        exchange(1, scheme="https", certificate=CERTIFICATE, key=encrypted)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        os.truncate(file.fileno(), http_wire.MAX_PEM_OCTETS + 1)
    with pytest.raises(BuiltinFault, match="larger than"):
        exchange(1, scheme="https", authorities_file=str(path))


def test_a_port_where_nobody_listens_is_a_network_fault() -> None:
    with socket.create_server((LOCAL, 0)) as taken:
        port = taken.getsockname()[1]
    assert fault_of(port) == f'GET "http://{LOCAL}:{port}": Connection refused'


def test_a_name_that_is_not_known_is_a_network_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert "no such host" in fault_of(80, host="unknown.example")


def test_each_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((LOCAL, 0)) as taken:
        closed = taken.getsockname()[1]
    with serving(ok) as server:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (LOCAL, port)) for port in (closed, server.port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert exchange(80, host="two.example").status == 200


def test_settings_of_tls_without_secrets_are_kept() -> None:
    http_wire._kept_context.cache_clear()
    first = http_wire._context(Tls(authorities=CERTIFICATE), {})
    assert http_wire._context(Tls(authorities=CERTIFICATE, server_name="x"), {}) is first
    pair = Tls(certificate=CERTIFICATE, key=KEY)
    assert http_wire._context(pair, {}) is not http_wire._context(pair, {})
    assert http_wire._kept_context.cache_info().currsize == 1
