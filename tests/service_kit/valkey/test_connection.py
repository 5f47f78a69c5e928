"""Opening a connection, and what an operator is told of one that cannot be had."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devstack.ports import HOST, free_port
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.valkey.address import Address, Tls
from service_kit.valkey.connection import Connection, ServerError, connect
from service_kit.valkey.errors import StoreUnavailableError
from tests.ratelimit_service.stores.asking import CHARGE, at, run
from tests.valkey_servers import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def why(address: Address) -> str:
    """What an operator is told of a server that is away: the same by a check and by a call."""
    told = []

    async def scenario(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.check()
        told.append(str(caught.value))
        with pytest.raises(StoreUnavailableError) as caught:
            await store.hit([CHARGE])
        told.append(str(caught.value))

    run(address, scenario)
    assert told[0] == told[1]
    return told[0]


def test_why_a_server_is_away_is_told_in_an_operators_words(tmp_path: Path) -> None:
    assert why(Address(HOST, free_port(), password="s3cret")) == "Connection refused"
    assert why(Address(path=f"{tmp_path}/none.sock")) == "No such file or directory"
    # With a resolver, and without one.
    assert why(Address("name.invalid")) in {"Name or service not known", "Temporary failure in name resolution"}


def test_why_a_server_that_answers_is_not_used_is_told_too() -> None:
    with Server() as server:
        with server.client() as client:
            client.config_set("requirepass", "s3cret")
        assert why(at(server)) == "user or password not accepted: Authentication required."
        wrong = why(Address(HOST, server.port, password="wr0ng"))
        assert wrong.startswith("user or password not accepted: ")
        assert "wr0ng" not in wrong
        assert why(Address(HOST, server.port, password="s3cret", database=99)) == "ERR DB index is out of range"


def test_a_server_that_hangs_is_told_to_have_timed_out() -> None:
    async def scenario(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError, match=r"^timed out$"):
            await store.check()

    with socket.create_server((HOST, 0)) as silent:
        run(Address(HOST, silent.getsockname()[1]), scenario)
        run(Address(HOST, silent.getsockname()[1], tls=Tls()), scenario)


def test_a_server_that_hangs_up_is_told_to_have_been_lost() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    assert why_of(hang_up) in {"the connection was lost", "Connection reset by peer"}


def test_a_server_that_speaks_no_tls_is_told_so() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"-ERR Protocol error\r\n")
        writer.close()

    assert why_of(speak, Tls()) == "TLS failed: WRONG_VERSION_NUMBER"


def why_of(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], tls: Tls | None = None
) -> str:
    """What is told of a server that is the test's own."""

    async def go() -> str:
        other = await asyncio.start_server(answer, HOST, 0)
        async with other:
            port = other.sockets[0].getsockname()[1]
            with pytest.raises(StoreUnavailableError) as caught:
                await connect(Address(HOST, port, tls=tls), _nobody)
            return str(caught.value)

    return asyncio.run(go())


def _nobody(connection: Connection, error: StoreUnavailableError) -> None:
    del connection, error


def test_replies_come_in_the_order_of_the_commands(server: Server) -> None:
    async def go() -> None:
        connection = await connect(at(server), _nobody)
        first, second = connection.send([("ECHO", "a"), ("NO-SUCH",)]), connection.send([("ECHO", b"b")])
        assert await second == [b"b"]
        echo, error = await first
        assert echo == b"a"
        assert isinstance(error, ServerError)
        assert error.code == "ERR"
        connection.end("done")
        with pytest.raises(StoreUnavailableError, match="done"):
            await connection.send([("PING",)])

    asyncio.run(go())


def test_whoever_waits_hears_that_the_connection_has_ended_and_so_does_its_owner(server: Server) -> None:
    async def go() -> None:
        heard = []
        connection = await connect(at(server), lambda _, error: heard.append(str(error)))
        waiting = connection.send([("BLPOP", "none", 0)])
        connection.end("given up")
        connection.end("a second time")
        with pytest.raises(StoreUnavailableError, match="given up"):
            await waiting
        assert heard == ["given up"]

    asyncio.run(go())


def test_a_replica_is_no_primary(server: Server) -> None:
    async def go() -> None:
        with Server((f"replicaof {HOST} {server.port}",)) as replica:
            (await connect(at(server), _nobody, primary=True)).end("done")
            with pytest.raises(StoreUnavailableError, match="replica"):
                await connect(at(replica), _nobody, primary=True)

    asyncio.run(go())


@dataclass(frozen=True)
class Certificates:
    """A CA, and a certificate for this host (or another) that serves and is shown."""

    ca: Path
    certificate: Path
    key: Path


def issue(folder: Path, host: str) -> Certificates:
    now, key, ca_key = (
        datetime.now(UTC),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"CA of {host}")])

    def build(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(ca_name, subject, public, x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )

    ca = build(ca_name, ca_key.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)  # of a CA: to sign certificates
    leaf = build(x509.Name([]), key.public_key()).add_extension(names, critical=True)
    pem = serialization.Encoding.PEM
    folder.mkdir()
    made = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    made.ca.write_bytes(ca.add_extension(usage, critical=True).sign(ca_key, hashes.SHA256()).public_bytes(pem))
    made.certificate.write_bytes(leaf.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    made.key.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return made


@contextlib.asynccontextmanager
async def with_tls(server: Server, own: Certificates, clients: Path | None = None) -> AsyncIterator[int]:
    """The server behind TLS (this build of it speaks none itself); with `clients` a client must show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(HOST, server.port)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65_536):
                    sink.write(data)
                    await sink.drain()
            sink.close()

        await asyncio.gather(copy(reader, behind_writer), copy(behind_reader, writer))

    listening = await asyncio.start_server(relay, HOST, 0, ssl=context)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def test_tls_and_mutual_tls_are_spoken(server: Server, tmp_path: Path) -> None:
    async def go() -> None:
        own, client = issue(tmp_path / "server", HOST), issue(tmp_path / "client", HOST)
        async with with_tls(server, own) as port:
            (await connect(Address(HOST, port, tls=Tls(own.ca)), _nobody)).end("done")
            with pytest.raises(StoreUnavailableError, match="TLS certificate not accepted"):
                await connect(Address(HOST, port, tls=Tls()), _nobody)
        async with with_tls(server, own, clients=client.ca) as port:
            shown = Tls(own.ca, client.certificate, client.key)
            (await connect(Address(HOST, port, tls=shown), _nobody)).end("done")
            with pytest.raises(StoreUnavailableError):
                await connect(Address(HOST, port, tls=Tls(own.ca)), _nobody)

    asyncio.run(go())


def test_a_certificate_of_another_host_is_taken_only_where_that_is_asked_for(server: Server, tmp_path: Path) -> None:
    async def go() -> None:
        other, unknown = issue(tmp_path / "other", "192.0.2.1"), issue(tmp_path / "unknown", HOST)
        async with with_tls(server, other) as port:
            with pytest.raises(StoreUnavailableError, match="TLS certificate not accepted: IP address mismatch"):
                await connect(Address(HOST, port, tls=Tls(other.ca)), _nobody)
            (await connect(Address(HOST, port, tls=Tls(other.ca, check_hostname=False)), _nobody)).end("done")
            with pytest.raises(StoreUnavailableError, match="TLS certificate not accepted"):
                await connect(Address(HOST, port, tls=Tls(unknown.ca, check_hostname=False)), _nobody)

    asyncio.run(go())
