"""Real servers on the loopback interface for the tests of http.send: good ones and hostile ones."""

from __future__ import annotations

import contextlib
import ipaddress
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from cryptography import x509

from tests.authz_service.rego_engine.builtins import certificate_examples as examples

LOCAL = "127.0.0.1"


@dataclass
class Seen:
    """What a server was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Server:
    """A server that answers each path by a function."""

    port: int
    seen: list[Seen] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{LOCAL}:{self.port}"


@contextlib.contextmanager
def serving(answer: Callable[[Seen], Answer], context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve HTTP, or HTTPS where there is a context."""
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            return

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = Seen(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            seen.append(request)
            status, headers, content = answer(request)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_HEAD = handle_any  # noqa: N815  (the library calls them so)

    with _running(ThreadingHTTPServer((LOCAL, 0), Handler), context) as port:
        yield Server(port, seen)


@contextlib.contextmanager
def speaking(talk: Callable[[Any], None]) -> Iterator[int]:
    """Serve whatever is written to a connection, once a request has come; yields the port."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                while self.rfile.readline().strip():
                    continue
                talk(self.wfile)

    ThreadingTCPServer.allow_reuse_address = True
    with _running(ThreadingTCPServer((LOCAL, 0), Handler), None) as port:
        yield port


@contextlib.contextmanager
def _running(server: Any, context: ssl.SSLContext | None) -> Iterator[int]:
    server.daemon_threads = True
    server.block_on_close = False
    server.handle_error = lambda *_: None
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(name: str = LOCAL, *, of: int = 30) -> tuple[str, str]:
    """Return a certificate for a name or an address, its own authority, with its key: both PEM."""
    try:
        named: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        named = x509.DNSName(name)
    key = examples.key(number=of)
    made = examples.certificate(name, name, key, key, [examples.names(named), examples.authority()])
    return examples.pem(made), examples.private_pem(key)


def server_context(certificate_pem: str, key_pem: str, *, clients: str = "") -> ssl.SSLContext:
    """Return a server's TLS settings; with `clients`, only who has a certificate of theirs gets in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pair.pem")
        path.write_text(certificate_pem + key_pem)
        context.load_cert_chain(path)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients)
    return context
