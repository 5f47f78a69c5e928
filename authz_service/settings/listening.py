"""The `listen` section: where the service listens, how, and with how many processes."""

from __future__ import annotations

from pathlib import Path

from authz_service.settings.reading import file_named, is_address
from service_kit.listening import MAX_WORKERS, Listening, Server, Tls
from service_kit.strict_yaml import Section


def read_listening(root: Section, folder: Path) -> Listening:
    """Read `listen`."""
    with root.section("listen") as listen:
        grpc = listen.text("grpc")
        if grpc and not grpc.startswith("unix:///") and not is_address(grpc):
            listen.fault("grpc", f"must be host:port or unix:///path, but is {grpc!r}")
        http = listen.text("http")
        if http and not is_address(http):
            listen.fault("http", f"must be host:port, but is {http!r}")
        tls = None
        if listen.has("tls"):
            with listen.section("tls") as section:
                certificate, key = file_named(section, "certificate", folder), file_named(section, "key", folder)
                client_ca = file_named(section, "client_ca", folder) if section.has("client_ca") else None
                tls = Tls(certificate, key, client_ca)
        server = Server(listen.choice("server", [server.value for server in Server], default=Server.AUTO.value))
        workers = listen.integer("workers", minimum=1, maximum=MAX_WORKERS, default=1)
        if workers > 1 and grpc.startswith("unix:"):
            listen.fault("workers", "must be 1 with a unix socket, which belongs to one process")
        admin = folder / listen.text("envoy_admin") if listen.has("envoy_admin") else None
        if admin is not None and not admin.is_dir():
            listen.fault("envoy_admin", f"must be a folder for admin sockets, but is none: {admin}")
    return Listening(grpc, http, tls, server, workers, admin)
