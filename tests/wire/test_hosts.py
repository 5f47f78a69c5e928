"""One suite for both gRPC hosts, over real sockets, with grpcio as the client: calls, health, limits, TLS, the end."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import h2.exceptions
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from service_kit.rpc import Status
from service_kit.wire import health_pb2
from service_kit.wire.health_pb2 import HealthCheckResponse
from tests.wire.certificates import Certificates, make_certificates, make_pair, write
from tests.wire.hosting import PATIENCE, SERVERS, Client, Hosted, body, connected, hosted, refused, run, until
from tests.wire.http2 import Connection
from tests.wire.sample import AUTHORIZATION, PROCESSOR

KIBIBYTE = 1024
SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = HealthCheckResponse.SERVICE_UNKNOWN
SMALL = 50 * KIBIBYTE


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def host(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """One that is shared by the tests that leave it as it was."""
    with hosted(tmp_path_factory.mktemp(server), server, receive_bytes=SMALL, send_bytes=SMALL) as running:
        yield running


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a name so short that the service's own folder lies in it."""
    with tempfile.TemporaryDirectory(prefix="agw-") as name:
        yield Path(name)


# Calls


def test_a_unary_call_is_answered_with_the_message(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        assert await client.check("/reports") == "denied /reports"

    run(scene, host.grpc)


def test_a_stream_is_answered_message_by_message_while_it_is_open(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        stream = client.process()
        for text in (b"abc", b"", b"xy"):
            await stream.write(body(text))
            answer = await stream.read()
            assert answer.request_body.response.body_mutation.body == text[::-1]
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF
        assert (await stream.code()).name == "OK"

    run(scene, host.grpc)


def test_a_stream_without_a_message_ends_well(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        stream = client.process()
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF
        assert (await stream.code()).name == "OK"

    run(scene, host.grpc)


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_messages_may_be_compressed(host: Hosted, compression: grpc.Compression) -> None:
    async def scene(client: Client) -> None:
        stream = client.process(compression)
        await stream.write(body(b"ab" * 10_000))
        assert (await stream.read()).request_body.response.body_mutation.body == b"ba" * 10_000
        await stream.write(body(b"\0" * 10 * SMALL))  # it is the message that counts, and not what it takes on its way
        assert (await refused(stream.read()))[0] == "RESOURCE_EXHAUSTED"

    run(scene, host.grpc)


@pytest.mark.parametrize("status", Status)
def test_an_error_of_a_servicer_ends_the_call_with_its_status_and_text(host: Hosted, status: Status) -> None:
    async def scene(client: Client) -> None:
        assert await refused(client.check(status.name)) == (status.name, f"because of {status.name}")

    run(scene, host.grpc)


def test_a_text_that_is_not_ascii_arrives_as_it_is(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        assert await refused(client.check("/percent")) == ("NOT_FOUND", "100 % größer\n")

    run(scene, host.grpc)


def test_an_error_ends_a_stream_after_the_answers_before_it(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        stream = client.process()
        await stream.write(body(b"abc"))
        assert (await stream.read()).request_body.response.body_mutation.body == b"cba"
        await stream.write(body(b"stop"))
        assert await refused(stream.read()) == ("RESOURCE_EXHAUSTED", "enough")

    run(scene, host.grpc)


def test_an_unforeseen_error_is_internal_and_its_text_is_told_to_nobody(host: Hosted) -> None:
    """Neither to the caller nor to the log, which has the type and the place."""
    before = len(host.log().splitlines())

    async def scene(client: Client) -> None:
        assert await refused(client.check("/break")) == ("INTERNAL", "internal error")
        stream = client.process()
        await stream.write(body(b"break"))
        assert await refused(stream.read()) == ("INTERNAL", "internal error")
        assert await client.check("/still") == "denied /still"

    run(scene, host.grpc)
    lines = [json.loads(line) for line in host.log().splitlines()[before:]]
    assert [(line["message"], line["error"], line["method"]) for line in lines] == [
        ("call failed", "ValueError", f"/{AUTHORIZATION}/Check"),
        ("call failed", "ValueError", f"/{PROCESSOR}/Process"),
    ]
    assert all("sample.py:" in line["place"] for line in lines)
    assert "the secret" not in host.log()


@pytest.mark.parametrize(("path", "error"), [("/cancel", "CancelledError"), ("/exit", "SystemExit")])
def test_a_call_that_a_handler_leaves_by_no_common_error_is_internal_too(host: Hosted, path: str, error: str) -> None:
    """It is neither answered as if all were well nor left without an answer, and the next calls are served."""
    before = len(host.log().splitlines())

    async def scene(client: Client) -> None:
        assert await refused(client.check(path, seconds=10)) == ("INTERNAL", "internal error")
        assert await client.check("/still") == "denied /still"

    run(scene, host.grpc)
    assert [json.loads(line)["error"] for line in host.log().splitlines()[before:]] == [error]


def test_an_answer_that_is_no_message_is_internal(host: Hosted) -> None:
    """The library's own text would name types and functions."""

    async def scene(client: Client) -> None:
        assert await refused(client.check("/nothing")) == ("INTERNAL", "internal error")

    run(scene, host.grpc)


def test_a_malformed_message_is_an_invalid_argument(host: Hosted) -> None:
    """In a stream too; the parser's words stay inside."""

    async def scene(client: Client) -> None:
        expected = ("INVALID_ARGUMENT", "malformed message")
        assert await refused(client.raw(f"/{AUTHORIZATION}/Check", b"\xff\xff")) == expected
        stream = client.channel.stream_stream(f"/{PROCESSOR}/Process")(timeout=10)
        await stream.write(b"\xff\xff")
        assert await refused(stream.read()) == expected
        assert await refused(client.raw("/grpc.health.v1.Health/Check", b"\xff\xff")) == expected

    run(scene, host.grpc)


def test_a_message_larger_than_the_bound_is_refused_in_each_direction(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        assert len(await client.check("/" * 49 * KIBIBYTE)) > 49 * KIBIBYTE
        assert (await refused(client.check("/" * 51 * KIBIBYTE)))[0] == "RESOURCE_EXHAUSTED"
        assert (await refused(client.check("/large")))[0] == "RESOURCE_EXHAUSTED"
        stream = client.process()
        await stream.write(body(b"x" * 51 * KIBIBYTE))
        assert (await refused(stream.read()))[0] == "RESOURCE_EXHAUSTED"

    run(scene, host.grpc)


@pytest.mark.parametrize("path", [f"/{AUTHORIZATION}/Chekc", "/no.such.Service/Check", "/"])
def test_an_unknown_method_is_unimplemented(host: Hosted, path: str) -> None:
    async def scene(client: Client) -> None:
        assert (await refused(client.raw(path, b"")))[0] == "UNIMPLEMENTED"

    run(scene, host.grpc)


def test_a_deadline_that_is_over_ends_the_call_and_the_work(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        before = int(await client.check("/cancelled"))
        assert (await refused(client.check("/wait", seconds=0.2)))[0] == "DEADLINE_EXCEEDED"
        await client.until("/cancelled", str(before + 1))
        assert await client.check("/waiting") == "0"

    run(scene, host.grpc)


def test_a_caller_that_goes_away_ends_the_work(host: Hosted) -> None:
    """Whether it cancels its call or its connection is gone."""

    async def scene(client: Client) -> None:
        before = int(await client.check("/cancelled"))
        waiting = asyncio.ensure_future(client.check("/wait"))
        await client.until("/waiting", "1")
        waiting.cancel()
        await client.until("/cancelled", str(before + 1))
        async with connected(host.grpc) as other:
            waiting = asyncio.ensure_future(other.check("/wait"))
            await client.until("/waiting", "1")
        await client.until("/cancelled", str(before + 2))
        waiting.cancel()

    run(scene, host.grpc)


def test_a_thousand_calls_at_once_are_all_answered(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        answers = await asyncio.gather(*(client.check(f"/{number}") for number in range(1_000)))
        assert answers == [f"denied /{number}" for number in range(1_000)]

    run(scene, host.grpc)


def test_calls_beyond_the_bound_are_refused_at_once(server: str, tmp_path: Path) -> None:
    """They do not queue. The bound is of the process, whatever the connection."""

    async def scene(client: Client) -> None:
        async with connected(running.grpc) as other, asyncio.timeout(20):
            waiting = asyncio.ensure_future(_status_of(client, "/wait"))
            while await _status_of(other, "/more") != "RESOURCE_EXHAUSTED":
                if waiting.done():  # it came while the other call was there
                    assert waiting.result() == "RESOURCE_EXHAUSTED"
                    waiting = asyncio.ensure_future(_status_of(client, "/wait"))
                await asyncio.sleep(0.01)
            assert not waiting.done()
            waiting.cancel()
            await _until_served(other)

    with hosted(tmp_path, server, concurrent_calls=1) as running:
        run(scene, running.grpc)


def test_one_connection_cannot_take_all_calls(server: str, tmp_path: Path) -> None:
    """Another one is answered while it holds as many as it may."""

    async def scene(client: Client) -> None:
        assert await client.check("/other") == "denied /other"

    with hosted(tmp_path, server, concurrent_calls=20, connection_calls=10) as running:
        greedy = Connection(running.grpc)
        greedy.ask("/", b"")  # it has heard of the bound by then
        for _ in range(10):
            greedy.open(f"/{AUTHORIZATION}/Check")
        with pytest.raises(h2.exceptions.TooManyStreamsError):
            greedy.open(f"/{AUTHORIZATION}/Check")
        run(scene, running.grpc)
        greedy.close()


async def _until_served(client: Client) -> None:
    while await _status_of(client, "/again") != "OK":
        pass


async def _status_of(client: Client, path: str) -> str:
    try:
        await client.check(path)
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "OK"


# Health and reflection


def test_a_health_check_answers_for_the_process_its_services_and_its_aliases(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        for name in ("", AUTHORIZATION, PROCESSOR, "alias"):
            assert await client.health(name) == SERVING
        assert await refused(client.health("no.such.Service")) == ("NOT_FOUND", "unknown service")

    run(scene, host.grpc)


def test_a_health_list_names_every_service(host: Hosted) -> None:
    async def scene(client: Client) -> None:
        answer = await client.raw("/grpc.health.v1.Health/List", b"")
        statuses = health_pb2.HealthListResponse.FromString(answer).statuses
        assert {name: status.status for name, status in statuses.items()} == dict.fromkeys(
            ("", AUTHORIZATION, PROCESSOR, "alias"), SERVING
        )

    run(scene, host.grpc)


def test_a_health_watch_tells_each_change_and_ends_with_the_process(server: str, tmp_path: Path) -> None:
    """Of a service that is known; of another one that it is not."""

    async def scene(client: Client) -> None:
        watch, unknown = client.watch(PROCESSOR), client.watch("no.such.Service")
        assert (await watch.read()).status == NOT_SERVING
        assert (await unknown.read()).status == SERVICE_UNKNOWN
        await client.check("/well")
        assert (await watch.read()).status == SERVING
        await client.check("/ill")
        assert (await watch.read()).status == NOT_SERVING
        running.process.terminate()
        assert await watch.read() is grpc.aio.EOF
        assert await unknown.read() is grpc.aio.EOF

    with hosted(tmp_path, server, problem="starting") as running:
        run(scene, running.grpc)


def test_reflection_lists_the_services_and_knows_their_files(host: Hosted) -> None:
    """So that a tool such as grpcurl needs no files of ours."""

    async def scene(client: Client) -> None:
        stream = reflection_pb2_grpc.ServerReflectionStub(client.channel).ServerReflectionInfo(timeout=10)
        ask = reflection_pb2.ServerReflectionRequest
        await stream.write(ask(list_services=""))
        listed = (await stream.read()).list_services_response.service
        assert {service.name for service in listed} == {
            AUTHORIZATION, PROCESSOR, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection",
        }  # fmt: skip
        await stream.write(ask(file_containing_symbol=AUTHORIZATION))
        assert (await stream.read()).file_descriptor_response.file_descriptor_proto
        await stream.write(ask(file_containing_symbol="no.such.Thing"))
        assert (await stream.read()).error_response.error_code == Status.NOT_FOUND
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF

    run(scene, host.grpc)


# The end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_call_in_flight_finishes_while_the_process_ends(server: str, tmp_path: Path, number: int) -> None:
    """The health says so first, a watch does not hold it up, and nobody new gets in."""

    async def scene(client: Client) -> None:
        watch = client.watch("")
        assert (await watch.read()).status == SERVING
        waiting = asyncio.ensure_future(client.check("/wait"))
        await client.until("/waiting", "1")
        stream = client.process()
        await stream.write(body(b"abc"))
        await stream.read()
        running.process.send_signal(number)
        assert (await watch.read()).status == NOT_SERVING
        assert await watch.read() is grpc.aio.EOF
        await _until_refused(running.grpc)
        async with connected(running.grpc) as another:
            assert (await refused(another.check("/new")))[0] == "UNAVAILABLE"
        assert running.process.poll() is None
        await stream.write(body(b"xyz"))
        assert (await stream.read()).request_body.response.body_mutation.body == b"zyx"
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF
        await asyncio.sleep(0.1)
        assert not waiting.done()
        waiting.cancel()

    with hosted(tmp_path, server) as running:
        run(scene, running.grpc)
        assert running.process.wait(10) == 0


def test_no_call_is_lost_while_the_process_ends_under_load(server: str, tmp_path: Path) -> None:
    """Each is answered, or was never taken: UNAVAILABLE for want of a connection is what a client tries again.

    grpcio cancels what comes between its word to go and its going.
    """

    async def scene(client: Client) -> None:
        answered, ended = 0, False
        ends: list[tuple[str, str]] = []

        async def ask() -> None:
            nonlocal answered, ended
            while not ended:
                try:
                    assert await client.check("/x") == "denied /x"
                    answered += 1
                except grpc.aio.AioRpcError as error:
                    ended = True
                    ends.append((error.code().name, error.details() or ""))

        asking = [asyncio.ensure_future(ask()) for _ in range(16)]
        await asyncio.sleep(0.5)
        running.process.terminate()
        await asyncio.gather(*asking)
        assert answered > 100
        for status, text in ends:
            assert (status, "onnect" in text) == ("UNAVAILABLE", True) or (server, status) == ("grpcio", "CANCELLED")

    with hosted(tmp_path, server) as running:
        run(scene, running.grpc)
        assert running.process.wait(10) == 0


def test_a_call_that_does_not_finish_is_cancelled_after_the_time_to_drain(server: str, tmp_path: Path) -> None:
    """The process ends in bounded time."""

    async def scene(client: Client) -> None:
        waiting = asyncio.ensure_future(client.check("/wait"))
        await client.until("/waiting", "1")
        running.process.terminate()
        assert (await refused(waiting))[0] in {"UNAVAILABLE", "CANCELLED"}

    with hosted(tmp_path, server, drain_seconds=0.2) as running:
        run(scene, running.grpc)
        assert running.process.wait(10) == 0


# Where it listens


def test_the_host_listens_on_a_unix_socket(server: str, tmp_path: Path) -> None:
    """And tells its address as it was given. A socket that a killed process has left is no hindrance."""
    address = f"unix://{tmp_path}/s"

    async def scene(client: Client) -> None:
        assert await client.check("/unix") == "denied /unix"

    for number in (signal.SIGKILL, signal.SIGTERM):
        with hosted(tmp_path, server, grpc_address=address) as running:
            assert running.grpc == address
            run(scene, running.grpc)
            running.end(number)


def test_a_port_in_use_is_told(host: Hosted, server: str, tmp_path: Path) -> None:
    """Two servers on one port would share its calls unnoticed."""
    with hosted(tmp_path, server, grpc_address=host.grpc, ready=False) as second:
        assert second.process.wait(20) == 1
        assert second.log() == f"cannot listen on {host.grpc}: Address already in use\n"


@pytest.mark.parametrize("address", ["127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "127.0.0.1:", "127.0.0.1"])
def test_an_address_without_a_port_is_told(server: str, tmp_path: Path, address: str) -> None:
    """65536 would mean port 0 to grpcio: any free one."""
    with hosted(tmp_path, server, grpc_address=address, ready=False) as running:
        assert running.process.wait(20) == 1
        assert running.log().startswith(f"cannot listen on {address}: it does not end with a port")


# Workers


def test_several_workers_share_the_port_and_add_up_their_metrics(server: str, tmp_path: Path) -> None:
    async def scene(client: Client) -> None:
        del client
        found = set()
        for _ in range(200):
            async with connected(running.grpc) as another:
                found.add(int(await another.check("/pid")))
        assert found == {worker["pid"] for worker in running.addresses}

    with hosted(tmp_path, server, workers=2) as running:
        assert {worker["worker"] for worker in running.addresses} == {0, 1}
        run(scene, running.grpc)
        page = _metrics(running)
        assert "sample_calls_total 200.0" in page
        assert "sample_up 2.0" in page
        assert running.end() == 0


def test_a_worker_that_dies_is_started_again_and_what_it_counted_stays(server: str, tmp_path: Path) -> None:
    async def scene(client: Client) -> None:
        await client.check("/count")
        assert (await refused(client.check("/die")))[0] in {"UNAVAILABLE", "CANCELLED"}

    async def again(client: Client) -> None:
        assert await client.check("/again") == "denied /again"

    with hosted(tmp_path, server, workers=2) as running:
        run(scene, running.grpc)
        until(lambda: len(running.started()) == 3)
        run(again, running.grpc)
        page = _metrics(running)
        assert "sample_calls_total 3.0" in page
        assert "sample_up 2.0" in page
        lines = [json.loads(line) for line in running.log().splitlines()]
        assert [(line["message"], line["exit_code"]) for line in lines] == [("worker ended, starting another", -9)]
        assert running.end() == 0


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    """No orphan holds the port."""
    with hosted(tmp_path, "pyvoy", workers=2) as running:
        running.end(signal.SIGKILL)
        for worker in running.addresses:
            until(lambda worker=worker: not Path(f"/proc/{worker['pid']}").exists() or _is_dead(worker["pid"]))  # type: ignore[misc]  # a default binds the loop's variable


def test_a_call_in_flight_finishes_when_the_supervisor_is_killed(server: str, short: Path) -> None:
    """The workers see that they are alone, take nobody new, end in good order, and leave no files."""

    async def scene(client: Client) -> None:
        stream = client.process()
        await stream.write(body(b"abc"))
        await stream.read()
        running.process.kill()
        running.process.wait(PATIENCE)
        await _until_refused(running.grpc)
        await stream.write(body(b"xyz"))
        assert (await stream.read()).request_body.response.body_mutation.body == b"zyx"
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF
        assert (await stream.code()).name == "OK"

    with hosted(short, server, workers=2) as running:
        assert len(list(short.glob("agent-gateway-*"))) == 1
        run(scene, running.grpc)
        until(lambda: not list(short.glob("agent-gateway-*")))
        for worker in running.addresses:
            until(lambda worker=worker: not Path(f"/proc/{worker['pid']}").exists() or _is_dead(worker["pid"]))  # type: ignore[misc]  # a default binds the loop's variable


async def _until_refused(address: str) -> None:
    """Wait until nobody takes new connections."""
    while True:
        async with connected(address) as another:
            try:
                await another.check("/new", seconds=2)
            except grpc.aio.AioRpcError:
                return
        await asyncio.sleep(0.05)


def test_a_worker_that_cannot_be_started_again_takes_no_other_with_it(server: str, short: Path) -> None:
    """It is tried again until it can be: here a file stands where the folder for workers was, and then nothing does."""
    with hosted(short, server, workers=2) as running:
        (folder,) = short.glob("agent-gateway-*")
        shutil.rmtree(folder)
        folder.write_text("in the way")
        os.kill(running.addresses[0]["pid"], signal.SIGKILL)
        until(lambda: "worker could not be started" in running.log())
        assert running.process.poll() is None
        assert not _is_dead(running.addresses[1]["pid"])
        folder.unlink()
        until(lambda: len(running.started()) == 3)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert running.end() == 0


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.3])
def test_an_early_word_to_end_leaves_no_folder(short: Path, seconds: float) -> None:
    """It may come when the folder is there and nobody yet who would take it away."""
    with hosted(short, "pyvoy", ready=False) as running:
        deadline = time.monotonic() + PATIENCE
        while not list(short.glob("agent-gateway-*")):
            assert time.monotonic() < deadline
        time.sleep(seconds)
        assert running.end() == 0, running.log()
        assert not list(short.glob("agent-gateway-*"))


def test_a_start_leaves_nothing_in_shared_memory(tmp_path: Path) -> None:
    """Envoy's hot restart would, at each."""
    with hosted(tmp_path, "pyvoy") as running:
        assert "envoy_shared_memory" not in Path(f"/proc/{running.addresses[0]['pid']}/maps").read_text()
        assert running.end() == 0


def test_a_unix_socket_cannot_be_shared_by_workers(server: str, tmp_path: Path) -> None:
    with hosted(tmp_path, server, grpc_address=f"unix://{tmp_path}/s", workers=2, ready=False) as running:
        assert running.process.wait(20) == 1
        assert "belongs to one process" in running.log()


def _metrics(running: Hosted) -> str:
    with urllib.request.urlopen(f"http://{running.http}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def _is_dead(process: int) -> bool:
    return "State:\tZ" in Path(f"/proc/{process}/status").read_text()


# TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def mutual(server: str, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with hosted(tmp_path_factory.mktemp(server), server, tls=certificates.tls(mutual=True)) as running:
        yield running


def test_a_call_over_tls_is_answered_and_a_plain_one_is_not(
    server: str, certificates: Certificates, tmp_path: Path
) -> None:
    """A client that trusts the authority needs no certificate. There is no falling back."""

    async def scene(client: Client) -> None:
        assert await client.check("/tls") == "denied /tls"
        async with connected(running.grpc) as plain:
            assert (await refused(plain.check("/plain")))[0] == "UNAVAILABLE"

    with hosted(tmp_path, server, tls=certificates.tls(mutual=False)) as running:
        run(scene, running.grpc, certificates.credentials())


def test_a_client_with_a_certificate_of_the_authority_is_answered_over_mutual_tls(
    mutual: Hosted, certificates: Certificates
) -> None:
    """This is how Envoy comes."""

    async def scene(client: Client) -> None:
        assert await client.check("/mtls") == "denied /mtls"

    run(scene, mutual.grpc, certificates.credentials(certificates.client))


@pytest.mark.parametrize("shows_a_strange_one", [False, True])
def test_a_client_without_a_certificate_of_the_authority_is_refused(
    mutual: Hosted,
    certificates: Certificates,
    shows_a_strange_one: bool,  # noqa: FBT001
) -> None:
    """Whether it shows none or one that another authority signed."""

    async def scene(client: Client) -> None:
        assert (await refused(client.check("/mtls")))[0] == "UNAVAILABLE"

    run(scene, mutual.grpc, certificates.credentials(certificates.stranger if shows_a_strange_one else None))


def test_a_certificate_that_is_renewed_on_disk_is_shown_from_then_on(server: str, tmp_path: Path) -> None:
    """Without a restart; one that cannot be used never replaces the one in use."""
    certificates = make_certificates(tmp_path)
    old = certificates.credentials()
    renewed = make_certificates(_folder(tmp_path, "renewed"))

    async def works(client: Client) -> None:
        assert await client.check("/tls") == "denied /tls"

    async def comes(client: Client) -> None:
        del client
        async with asyncio.timeout(20):
            while True:
                async with connected(running.grpc, renewed.credentials()) as another:
                    try:
                        assert await another.check("/new") == "denied /new"
                    except grpc.aio.AioRpcError:
                        await asyncio.sleep(0.2)
                    else:
                        return

    with hosted(_folder(tmp_path, "h"), server, tls=certificates.tls(mutual=False)) as running:
        run(works, running.grpc, old)
        (tmp_path / "server.pem").write_text("nonsense")
        until(lambda: "not reloaded" in running.log())
        run(works, running.grpc, old)
        write(tmp_path, "server", make_pair("server", renewed.authority))
        run(comes, running.grpc)


def test_a_worker_that_starts_again_with_broken_tls_files_does_not_serve(server: str, tmp_path: Path) -> None:
    """It would close every connection, and say that it is well. The other one goes on, and so does it once they are."""
    certificates = make_certificates(tmp_path)
    key = tmp_path / "server.key"

    async def works(client: Client) -> None:
        assert await client.check("/tls") == "denied /tls"

    with hosted(_folder(tmp_path, "h"), server, workers=2, tls=certificates.tls(mutual=False)) as running:
        whole = key.read_text()
        key.write_text(whole[:100])
        until(lambda: "not reloaded" in running.log())
        os.kill(running.addresses[0]["pid"], signal.SIGKILL)
        until(lambda: "Are certificate and key a pair" in _plain(running.log()))
        for _ in range(10):
            run(works, running.grpc, certificates.credentials())
        assert len(running.started()) == 2
        key.write_text(whole)
        until(lambda: len(running.started()) == 3)
        assert running.end() == 0


def _plain(log: str) -> str:
    """What was printed, without the lines of the log."""
    return "\n".join(line for line in log.splitlines() if not line.startswith("{"))


def test_a_certificate_that_has_expired_is_refused_and_never_replaces_one_that_is_good(
    server: str, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path)
    expired = make_pair("server", certificates.authority, hours=-0.5)

    async def works(client: Client) -> None:
        assert await client.check("/tls") == "denied /tls"

    with hosted(_folder(tmp_path, "h"), server, tls=certificates.tls(mutual=False)) as running:
        write(tmp_path, "server", expired)
        until(lambda: "has expired" in running.log())
        run(works, running.grpc, certificates.credentials())
    with hosted(_folder(tmp_path, "again"), server, tls=certificates.tls(mutual=False), ready=False) as running:
        assert running.process.wait(20) == 1
        assert running.log().startswith(f"{tmp_path}/server.pem has expired: it was good until ")


@pytest.mark.parametrize("absent", range(3))
def test_a_tls_file_that_is_missing_is_told_by_its_path(
    server: str, certificates: Certificates, tmp_path: Path, absent: int
) -> None:
    tls = certificates.tls(mutual=True)
    tls[absent] = str(certificates.folder / "absent.pem")
    with hosted(tmp_path, server, tls=tls, ready=False) as running:
        assert running.process.wait(20) == 1
        assert running.log() == f"{tls[absent]} cannot be read: No such file or directory\n"


@pytest.mark.parametrize(("certificate", "key"), [("nonsense.pem", "server.key"), ("server.pem", "other.key")])
def test_a_certificate_that_cannot_be_used_is_told(
    server: str, certificates: Certificates, tmp_path: Path, certificate: str, key: str
) -> None:
    """Be it no certificate, or one of another key."""
    tls = [str(certificates.folder / certificate), str(certificates.folder / key), ""]
    with hosted(tmp_path, server, tls=tls, ready=False) as running:
        assert running.process.wait(20) == 1
        assert running.log().endswith("Are certificate and key a pair, both in PEM?\n")


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder
