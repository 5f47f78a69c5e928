"""The gRPC host over real sockets, with services that are a few lines each."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from service_kit.grpc_host import GrpcHost, Limits
from service_kit.health import NOT_SERVING, SERVICE_UNKNOWN, SERVING, Health
from service_kit.listening import ListenError, Tls
from service_kit.logs import JsonFormatter
from service_kit.rpc import RpcError, Service, Status
from service_kit.wire import ext_authz_pb2, ext_proc_pb2, health_pb2

AUTHORIZATION = "envoy.service.auth.v3.Authorization"
PROCESSOR = "envoy.service.ext_proc.v3.ExternalProcessor"
LOCAL = "127.0.0.1:0"
KIBIBYTE = 1024

CheckRequest, CheckResponse = ext_authz_pb2.CheckRequest, ext_authz_pb2.CheckResponse
ProcessingRequest, ProcessingResponse = ext_proc_pb2.ProcessingRequest, ext_proc_pb2.ProcessingResponse


class Authorization:
    """Answers as the path of the request says."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

    def service(self) -> Service:
        return Service(ext_authz_pb2.DESCRIPTOR.services_by_name["Authorization"], {"Check": self.check})

    async def check(self, request: ext_authz_pb2.CheckRequest) -> Any:
        path = request.attributes.request.http.path
        if path in Status.__members__:
            raise RpcError(Status[path], f"because of {path}")
        if path == "/break":
            raise ValueError("the secret")
        if path == "/nothing":
            return None
        if path == "/large":
            return CheckResponse(denied_response=ext_authz_pb2.DeniedHttpResponse(body="x" * 100 * KIBIBYTE))
        if path == "/wait":
            self.entered.set()
            await self.release.wait()
        return CheckResponse(denied_response=ext_authz_pb2.DeniedHttpResponse(body=f"denied {path}"))


async def process(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Answer each body with its reverse, as it comes."""
    async for request in requests:
        body = request.request_body.body
        if body == b"stop":
            raise RpcError(Status.RESOURCE_EXHAUSTED, "enough")
        if body == b"break":
            raise ValueError("the secret")
        mutation = ext_proc_pb2.BodyMutation(body=body[::-1])
        answer = ext_proc_pb2.BodyResponse(response=ext_proc_pb2.CommonResponse(body_mutation=mutation))
        yield ProcessingResponse(request_body=answer)


PROCESSOR_SERVICE = Service(ext_proc_pb2.DESCRIPTOR.services_by_name["ExternalProcessor"], {"Process": process})


@dataclass(slots=True)
class Client:
    """Calls over one channel, with the codecs of the messages."""

    channel: grpc.aio.Channel

    async def check(self, path: str) -> str:
        """The body of the answer to a path."""
        call = self.channel.unary_unary(
            f"/{AUTHORIZATION}/Check", CheckRequest.SerializeToString, CheckResponse.FromString
        )
        request = CheckRequest()
        request.attributes.request.http.path = path
        return str((await call(request, timeout=10)).denied_response.body)

    def process(self) -> Any:
        """A stream of bodies."""
        return self.channel.stream_stream(
            f"/{PROCESSOR}/Process", ProcessingRequest.SerializeToString, ProcessingResponse.FromString
        )(timeout=10)

    async def raw(self, path: str, data: bytes) -> bytes:
        """Bytes against bytes."""
        return bytes(await self.channel.unary_unary(path)(data, timeout=10))

    async def health(self, service: str) -> int:
        """The status of a service."""
        request = health_pb2.HealthCheckRequest(service=service).SerializeToString()
        return health_pb2.HealthCheckResponse.FromString(await self.raw("/grpc.health.v1.Health/Check", request)).status

    def watch(self, service: str) -> Any:
        """A stream of statuses."""
        return self.channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            health_pb2.HealthCheckRequest.SerializeToString,
            health_pb2.HealthCheckResponse.FromString,
        )(health_pb2.HealthCheckRequest(service=service), timeout=10)


@dataclass(slots=True)
class Scene:
    """One host that runs, and what is behind it."""

    host: GrpcHost
    address: str
    health: Health
    authorization: Authorization
    client: Client


@asynccontextmanager
async def serving(
    address: str = LOCAL,
    *,
    limits: Limits | None = None,
    tls: Tls | None = None,
    credentials: grpc.ChannelCredentials | None = None,
) -> AsyncIterator[Scene]:
    """Both services on a free port, and a client to them."""
    health, authorization = Health([]), Authorization()
    services = [authorization.service(), PROCESSOR_SERVICE]
    host = GrpcHost(address, services, health, limits=limits, tls=tls, health_aliases=["alias"])
    used = await host.start()
    try:
        async with connected(used, credentials) as client:
            yield Scene(host, used, health, authorization, client)
    finally:
        authorization.release.set()
        await host.stop()


@asynccontextmanager
async def connected(address: str, credentials: grpc.ChannelCredentials | None = None) -> AsyncIterator[Client]:
    """A client of an address."""
    if credentials is None:
        channel = grpc.aio.insecure_channel(address)
    else:
        channel = grpc.aio.secure_channel(address, credentials)
    async with channel:
        yield Client(channel)


def run(scene: Callable[[], Awaitable[None]]) -> None:
    """Play a scene, in bounded time."""

    async def bounded() -> None:
        await asyncio.wait_for(scene(), 30)

    asyncio.run(bounded())


async def refused(call: Awaitable[Any]) -> tuple[str, str]:
    """The status and the text that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value.code().name, raised.value.details() or ""


def body(text: bytes) -> ext_proc_pb2.ProcessingRequest:
    """A message with a body."""
    return ProcessingRequest(request_body=ext_proc_pb2.HttpBody(body=text))


# Calls


def test_a_unary_call_is_answered_with_the_message() -> None:
    """Request and response pass as they are."""

    async def scene() -> None:
        async with serving() as running:
            assert await running.client.check("/reports") == "denied /reports"

    run(scene)


def test_a_stream_is_answered_message_by_message_while_it_is_open() -> None:
    """Each answer comes before the next question is asked."""

    async def scene() -> None:
        async with serving() as running:
            stream = running.client.process()
            for text in (b"abc", b"", b"xy"):
                await stream.write(body(text))
                answer = await stream.read()
                assert answer.request_body.response.body_mutation.body == text[::-1]
            await stream.done_writing()
            assert await stream.read() is grpc.aio.EOF
            assert (await stream.code()).name == "OK"

    run(scene)


@pytest.mark.parametrize("status", Status)
def test_an_error_of_a_servicer_ends_the_call_with_its_status_and_text(status: Status) -> None:
    """The text is meant for the caller."""

    async def scene() -> None:
        async with serving() as running:
            assert await refused(running.client.check(status.name)) == (status.name, f"because of {status.name}")

    run(scene)


def test_an_error_ends_a_stream_after_the_answers_before_it() -> None:
    """What was answered stays answered."""

    async def scene() -> None:
        async with serving() as running:
            stream = running.client.process()
            await stream.write(body(b"abc"))
            assert (await stream.read()).request_body.response.body_mutation.body == b"cba"
            await stream.write(body(b"stop"))
            assert await refused(stream.read()) == ("RESOURCE_EXHAUSTED", "enough")

    run(scene)


@pytest.mark.parametrize("streaming", [False, True])
def test_an_unforeseen_error_is_internal_and_its_text_is_told_to_nobody(
    streaming: bool,  # noqa: FBT001
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither to the caller nor to the log, which has the type and the place."""

    async def scene() -> None:
        async with serving() as running:
            if streaming:
                stream = running.client.process()
                await stream.write(body(b"break"))
                assert await refused(stream.read()) == ("INTERNAL", "internal error")
            else:
                assert await refused(running.client.check("/break")) == ("INTERNAL", "internal error")
                assert await running.client.check("/still") == "denied /still"

    with caplog.at_level(logging.DEBUG):
        run(scene)
    errors = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.name, record.getMessage()) for record in errors] == [("service_kit.grpc_host", "call failed")]
    lines = [JsonFormatter("service").format(record) for record in caplog.records]
    line = json.loads(lines[caplog.records.index(errors[0])])
    assert line["method"] == (f"/{PROCESSOR}/Process" if streaming else f"/{AUTHORIZATION}/Check")
    assert line["error"] == "ValueError"
    assert line["place"].startswith(f"{__file__}:")
    assert "the secret" not in "".join(lines)


def test_an_answer_that_is_no_message_is_internal() -> None:
    """The library's own text would name types and functions."""

    async def scene() -> None:
        async with serving() as running:
            assert await refused(running.client.check("/nothing")) == ("INTERNAL", "internal error")

    run(scene)


def test_a_malformed_message_is_an_invalid_argument() -> None:
    """In a stream too; the parser's words stay inside."""

    async def scene() -> None:
        async with serving() as running:
            expected = ("INVALID_ARGUMENT", "malformed message")
            assert await refused(running.client.raw(f"/{AUTHORIZATION}/Check", b"\xff\xff")) == expected
            stream = running.client.channel.stream_stream(f"/{PROCESSOR}/Process")(timeout=10)
            await stream.write(b"\xff\xff")
            assert await refused(stream.read()) == expected
            assert await refused(running.client.raw("/grpc.health.v1.Health/Check", b"\xff\xff")) == expected

    run(scene)


def test_a_message_larger_than_the_bound_is_refused_in_each_direction() -> None:
    """At the bound it still passes."""

    async def scene() -> None:
        limits = Limits(receive_bytes=50 * KIBIBYTE, send_bytes=50 * KIBIBYTE)
        async with serving(limits=limits) as running:
            assert len(await running.client.check("/" * 49 * KIBIBYTE)) > 49 * KIBIBYTE
            assert (await refused(running.client.check("/" * 51 * KIBIBYTE)))[0] == "RESOURCE_EXHAUSTED"
            assert (await refused(running.client.check("/large")))[0] == "RESOURCE_EXHAUSTED"
            stream = running.client.process()
            await stream.write(body(b"x" * 51 * KIBIBYTE))
            assert (await refused(stream.read()))[0] == "RESOURCE_EXHAUSTED"

    run(scene)


@pytest.mark.parametrize("path", [f"/{AUTHORIZATION}/Chekc", "/no.such.Service/Check", "/"])
def test_an_unknown_method_is_unimplemented(path: str) -> None:
    """Whether the service is known or not."""

    async def scene() -> None:
        async with serving() as running:
            assert (await refused(running.client.raw(path, b"")))[0] == "UNIMPLEMENTED"

    run(scene)


def test_calls_beyond_the_bound_are_refused_at_once() -> None:
    """They do not queue."""

    async def scene() -> None:
        async with serving(limits=Limits(concurrent_calls=1)) as running:
            waiting = asyncio.ensure_future(running.client.check("/wait"))
            await running.authorization.entered.wait()
            assert (await refused(running.client.check("/more")))[0] == "RESOURCE_EXHAUSTED"
            running.authorization.release.set()
            assert await waiting == "denied /wait"
            assert await running.client.check("/again") == "denied /again"

    run(scene)


# Health and reflection


def test_a_health_check_answers_for_the_process_its_services_and_its_aliases() -> None:
    """And NOT_FOUND for anything else."""

    async def scene() -> None:
        async with serving() as running:
            for name in ("", AUTHORIZATION, PROCESSOR, "alias"):
                assert await running.client.health(name) == SERVING
            assert await refused(running.client.health("no.such.Service")) == ("NOT_FOUND", "unknown service")

    run(scene)


def test_a_health_list_names_every_service() -> None:
    """With its status."""

    async def scene() -> None:
        async with serving() as running:
            answer = await running.client.raw("/grpc.health.v1.Health/List", b"")
        statuses = health_pb2.HealthListResponse.FromString(answer).statuses
        assert {name: status.status for name, status in statuses.items()} == dict.fromkeys(
            ("", AUTHORIZATION, PROCESSOR, "alias"), SERVING
        )

    run(scene)


def test_a_health_watch_tells_each_change() -> None:
    """Of a service that is known; of another one that it is not."""

    async def scene() -> None:
        health = Health(["store"])
        host = GrpcHost(LOCAL, [PROCESSOR_SERVICE], health)
        address = await host.start()
        async with connected(address) as client:
            watch, unknown = client.watch(PROCESSOR), client.watch("no.such.Service")
            assert (await watch.read()).status == NOT_SERVING
            assert (await unknown.read()).status == SERVICE_UNKNOWN
            health.set("store", None)
            assert (await watch.read()).status == SERVING
            health.set("store", "cannot be reached")
            assert (await watch.read()).status == NOT_SERVING
            await host.stop()
            assert await watch.read() is grpc.aio.EOF
            assert await unknown.read() is grpc.aio.EOF

    run(scene)


def test_reflection_lists_the_services_and_knows_their_files() -> None:
    """So that a tool such as grpcurl needs no files of ours."""

    async def scene() -> None:
        async with serving() as running:
            stub = reflection_pb2_grpc.ServerReflectionStub(running.client.channel)
            stream = stub.ServerReflectionInfo(timeout=10)
            await stream.write(reflection_pb2.ServerReflectionRequest(list_services=""))
            listed = (await stream.read()).list_services_response.service
            assert {service.name for service in listed} == {
                AUTHORIZATION,
                PROCESSOR,
                "grpc.health.v1.Health",
                "grpc.reflection.v1alpha.ServerReflection",
            }
            await stream.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol=AUTHORIZATION))
            assert (await stream.read()).file_descriptor_response.file_descriptor_proto
            await stream.done_writing()
            assert await stream.read() is grpc.aio.EOF

    run(scene)


# The end


def test_a_call_in_flight_finishes_while_the_host_stops_and_new_ones_are_refused() -> None:
    """The health says so first, and a watch does not hold it up."""

    async def scene() -> None:
        async with serving() as running:
            watch = running.client.watch("")
            assert (await watch.read()).status == SERVING
            waiting = asyncio.ensure_future(running.client.check("/wait"))
            await running.authorization.entered.wait()
            stopping = asyncio.ensure_future(running.host.stop())
            assert (await watch.read()).status == NOT_SERVING
            assert await watch.read() is grpc.aio.EOF
            assert running.health.draining
            async with connected(running.address) as another:
                assert (await refused(another.check("/new")))[0] == "UNAVAILABLE"
            assert (await refused(running.client.check("/new")))[0] == "UNAVAILABLE"
            assert not stopping.done()
            running.authorization.release.set()
            assert await waiting == "denied /wait"
            await stopping

    run(scene)


def test_a_call_that_does_not_finish_is_cancelled_after_the_time_to_drain() -> None:
    """The process ends in bounded time."""

    async def scene() -> None:
        async with serving(limits=Limits(drain_seconds=0.1)) as running:
            waiting = asyncio.ensure_future(running.client.check("/wait"))
            await running.authorization.entered.wait()
            await asyncio.wait_for(running.host.stop(), 5)
            assert (await refused(waiting))[0] in {"UNAVAILABLE", "CANCELLED"}

    run(scene)


def test_a_host_can_be_stopped_twice() -> None:
    """The second time there is nothing left to do."""

    async def scene() -> None:
        async with serving() as running:
            await running.host.stop()

    run(scene)


# Where it listens


def test_the_host_listens_on_a_unix_socket(tmp_path: Path) -> None:
    """And tells its address as it was given."""

    async def scene() -> None:
        address = f"unix://{tmp_path}/authz.sock"
        async with serving(address) as running:
            assert running.address == address
            assert await running.client.check("/unix") == "denied /unix"

    run(scene)


def test_a_port_in_use_is_told() -> None:
    """Two servers on one port would share its calls unnoticed."""

    async def scene() -> None:
        async with serving() as running:
            second = GrpcHost(running.address, [PROCESSOR_SERVICE], Health([]))
            with pytest.raises(ListenError, match=rf"^cannot listen on {running.address}: Address already in use$"):
                await second.start()

    run(scene)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:65536", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:http", "127.0.0.1:", "127.0.0.1", ""]
)
def test_an_address_without_a_port_is_told(address: str) -> None:
    """65536 would mean port 0 to grpcio: any free one."""

    async def scene() -> None:
        host = GrpcHost(address, [PROCESSOR_SERVICE], Health([]))
        with pytest.raises(ListenError, match=f"^cannot listen on {address}: it does not end with a port"):
            await host.start()

    run(scene)


# TLS


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def make_pair(name: str, issuer: Pair | None = None) -> Pair:
    """A certificate for this machine, or an authority where there is no issuer."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    return Pair(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Two authorities, a server and a client of the first, and a client of the second."""

    folder: Path
    authority: Pair
    client: Pair
    stranger: Pair

    def tls(self, *, mutual: bool) -> Tls:
        """What the host is given."""
        client_ca = self.folder / "authority.pem" if mutual else None
        return Tls(self.folder / "server.pem", self.folder / "server.key", client_ca)

    def credentials(self, shown: Pair | None = None) -> grpc.ChannelCredentials:
        """What a client trusts and shows."""
        if shown is None:
            return grpc.ssl_channel_credentials(self.authority.pem())
        return grpc.ssl_channel_credentials(self.authority.pem(), shown.key_pem(), shown.pem())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Made anew for each run: no key lies in the repository."""
    folder = tmp_path_factory.mktemp("certificates")
    authority, other = make_pair("authority"), make_pair("another authority")
    server = make_pair("server", authority)
    (folder / "authority.pem").write_bytes(authority.pem())
    (folder / "server.pem").write_bytes(server.pem())
    (folder / "server.key").write_bytes(server.key_pem())
    (folder / "other.key").write_bytes(other.key_pem())
    (folder / "nonsense.pem").write_text("nonsense")
    return Certificates(folder, authority, make_pair("client", authority), make_pair("stranger", other))


def test_a_call_over_tls_is_answered(certificates: Certificates) -> None:
    """A client that trusts the authority needs no certificate."""

    async def scene() -> None:
        async with serving(tls=certificates.tls(mutual=False), credentials=certificates.credentials()) as running:
            assert await running.client.check("/tls") == "denied /tls"

    run(scene)


def test_a_plain_call_to_a_tls_port_is_refused(certificates: Certificates) -> None:
    """There is no falling back."""

    async def scene() -> None:
        async with serving(tls=certificates.tls(mutual=False)) as running:
            assert (await refused(running.client.check("/plain")))[0] == "UNAVAILABLE"

    run(scene)


def test_a_client_with_a_certificate_of_the_authority_is_answered_over_mutual_tls(certificates: Certificates) -> None:
    """This is how Envoy comes."""

    async def scene() -> None:
        credentials = certificates.credentials(certificates.client)
        async with serving(tls=certificates.tls(mutual=True), credentials=credentials) as running:
            assert await running.client.check("/mtls") == "denied /mtls"

    run(scene)


@pytest.mark.parametrize("shows_a_strange_one", [False, True])
def test_a_client_without_a_certificate_of_the_authority_is_refused(
    certificates: Certificates,
    shows_a_strange_one: bool,  # noqa: FBT001
) -> None:
    """Whether it shows none or one that another authority signed."""

    async def scene() -> None:
        credentials = certificates.credentials(certificates.stranger if shows_a_strange_one else None)
        async with serving(tls=certificates.tls(mutual=True), credentials=credentials) as running:
            assert (await refused(running.client.check("/mtls")))[0] == "UNAVAILABLE"

    run(scene)


@pytest.mark.parametrize("absent", ["certificate", "key", "client_ca"])
def test_a_tls_file_that_is_missing_is_told_by_its_path(certificates: Certificates, absent: str) -> None:
    """Before anything listens."""
    tls = certificates.tls(mutual=True)
    files = {"certificate": tls.certificate, "key": tls.key, "client_ca": tls.client_ca}
    files[absent] = path = certificates.folder / "absent.pem"

    async def scene() -> None:
        with pytest.raises(ListenError, match=f"^{path} cannot be read: No such file or directory$"):
            GrpcHost(LOCAL, [PROCESSOR_SERVICE], Health([]), tls=Tls(**files))  # type: ignore[arg-type]

    run(scene)


@pytest.mark.parametrize(("certificate", "key"), [("nonsense.pem", "server.key"), ("server.pem", "other.key")])
def test_a_certificate_that_cannot_be_used_is_told(certificates: Certificates, certificate: str, key: str) -> None:
    """Be it no certificate, or one of another key."""

    async def scene() -> None:
        tls = Tls(certificates.folder / certificate, certificates.folder / key)
        host = GrpcHost(LOCAL, [PROCESSOR_SERVICE], Health([]), tls=tls)
        with pytest.raises(ListenError, match=r"Are certificate and key a pair, both in PEM\?$"):
            await host.start()

    run(scene)
