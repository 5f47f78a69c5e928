"""The HTTP side of a service, over a real socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from service_kit import http_host
from service_kit.health import Health
from service_kit.http_host import MAX_BODY_BYTES, HttpHost, Page, Reply
from service_kit.listening import ListenError


@asynccontextmanager
async def listening(
    health: Health, registry: CollectorRegistry | None = None, pages: Mapping[str, Page] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A host on a free port, and a client to it."""
    host = HttpHost("127.0.0.1:0", health, registry or CollectorRegistry(), pages)
    address = await host.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=10) as client:
            yield client
    finally:
        await host.stop()


def run(scene: Callable[[], Awaitable[None]]) -> None:
    """Play a scene, in bounded time."""

    async def bounded() -> None:
        await asyncio.wait_for(scene(), 20)

    asyncio.run(bounded())


def test_the_process_is_alive_even_when_it_is_not_ready() -> None:
    """A restart mends nothing that another part lacks."""

    async def scene() -> None:
        async with listening(Health(["store"])) as client:
            answer = await client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"alive": True})

    run(scene)


def test_readiness_follows_the_health_and_tells_each_part() -> None:
    """503 takes the process out of a load balancer."""

    async def scene() -> None:
        health = Health(["store"])
        health.note("policy", "revision 7")
        async with listening(health) as client:
            answer = await client.get("/readyz")
            assert answer.status_code == 503
            assert answer.json() == {"ready": False, "store": "starting", "policy": "revision 7"}
            health.set("store", None)
            answer = await client.get("/readyz")
            assert answer.status_code == 200
            assert answer.json() == {"ready": True, "store": "ok", "policy": "revision 7"}
            health.drain()
            assert (await client.get("/readyz")).status_code == 503

    run(scene)


def test_the_metrics_are_those_of_the_registry() -> None:
    """In the text format that Prometheus reads."""

    async def scene() -> None:
        registry = CollectorRegistry()
        Counter("decisions", "Decisions made.", ["outcome"], registry=registry).labels("deny").inc(3)
        async with listening(Health([]), registry) as client:
            answer = await client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert 'decisions_total{outcome="deny"} 3.0' in answer.text.splitlines()

    run(scene)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_page_of_the_service_answers_any_method_with_the_body_it_was_sent(method: str) -> None:
    """Status, text and type are the page's own."""

    async def page(body: bytes) -> Reply:
        return Reply(418, f"got {body.decode()}", "application/x-tea")

    async def scene() -> None:
        async with listening(Health([]), pages={"/tea": page}) as client:
            answer = await client.request(method, "/tea", content=b"leaves")
        assert (answer.status_code, answer.text) == (418, "got leaves")
        assert answer.headers["content-type"].startswith("application/x-tea")

    run(scene)


def test_a_body_larger_than_the_bound_is_refused() -> None:
    """The page does not see it."""
    seen: list[int] = []

    async def page(body: bytes) -> Reply:
        seen.append(len(body))
        return Reply(200, "taken")

    async def scene() -> None:
        async with listening(Health([]), pages={"/in": page}) as client:
            assert (await client.post("/in", content=b"x" * MAX_BODY_BYTES)).status_code == 200
            assert (await client.post("/in", content=b"x" * (MAX_BODY_BYTES + 1))).status_code == 413
        assert seen == [MAX_BODY_BYTES]

    run(scene)


def test_a_page_that_breaks_answers_500_without_the_errors_text() -> None:
    """The caller learns nothing of the inside."""

    async def page(body: bytes) -> Reply:
        raise ValueError(f"the secret {body!r}")

    async def scene() -> None:
        async with listening(Health([]), pages={"/broken": page}) as client:
            answer = await client.post("/broken", content=b"x")
            assert answer.status_code == 500
            assert "secret" not in answer.text
            assert (await client.get("/healthz")).status_code == 200

    run(scene)


def test_an_unknown_path_is_not_found_and_a_wrong_method_not_allowed() -> None:
    """As HTTP has it."""

    async def scene() -> None:
        async with listening(Health([])) as client:
            assert (await client.get("/nothing")).status_code == 404
            assert (await client.post("/metrics")).status_code == 405

    run(scene)


def test_an_address_in_use_is_told() -> None:
    """With the address and the reason."""

    async def scene() -> None:
        first = HttpHost("127.0.0.1:0", Health([]), CollectorRegistry())
        address = await first.start()
        second = HttpHost(address, Health([]), CollectorRegistry())
        try:
            with pytest.raises(ListenError, match=rf"^cannot listen on {address}: .*address already in use"):
                await second.start()
        finally:
            await second.stop()
            await first.stop()

    run(scene)


@pytest.mark.parametrize("address", ["127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:http", "127.0.0.1", ""])
def test_an_address_without_a_port_is_told(address: str) -> None:
    """It is a mistake of the configuration, not of the program."""

    async def scene() -> None:
        with pytest.raises(ListenError, match=f"^cannot listen on {address}: "):
            await HttpHost(address, Health([]), CollectorRegistry()).start()

    run(scene)


def test_stop_closes_open_connections_and_the_port() -> None:
    """A kept-alive connection does not hold it up."""

    async def scene() -> None:
        host = HttpHost("127.0.0.1:0", Health([]), CollectorRegistry())
        address = await host.start()
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
            assert (await client.get("/healthz")).status_code == 200
            began = time.monotonic()
            await host.stop()
            assert time.monotonic() - began < 2
            with pytest.raises(httpx.ConnectError):
                await client.get("/healthz")

    run(scene)


def test_a_page_that_hangs_does_not_hold_up_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform kills a process that takes too long to end."""
    assert http_host.STOP_SECONDS == 1.0
    monkeypatch.setattr(http_host, "STOP_SECONDS", 0.05)
    entered = asyncio.Event()

    async def page(body: bytes) -> Reply:
        del body
        entered.set()
        await asyncio.Event().wait()
        return Reply(200, "never")

    async def scene() -> None:
        host = HttpHost("127.0.0.1:0", Health([]), CollectorRegistry(), {"/hang": page})
        address = await host.start()
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=15) as client:
            call = asyncio.ensure_future(client.get("/hang"))
            await entered.wait()
            await asyncio.wait_for(host.stop(), 10)
            with pytest.raises(httpx.HTTPError):
                await call

    run(scene)
