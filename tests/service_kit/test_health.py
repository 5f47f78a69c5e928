"""What the process says of itself."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit import health as health_module
from service_kit.health import NOT_SERVING, SERVICE_UNKNOWN, SERVING, Health, HealthServicer
from service_kit.rpc import RpcError, Status
from service_kit.wire import health_pb2

STEPS = st.lists(st.tuples(st.sampled_from(["policy", "store"]), st.sampled_from([None, "", "away"])), max_size=12)


def asked(service: str) -> health_pb2.HealthCheckRequest:
    """Make a request for one service."""
    return health_pb2.HealthCheckRequest(service=service)


def test_a_process_is_not_ready_until_each_part_is() -> None:
    """A part that has not been heard of is starting."""
    health = Health(["policy", "store"])
    assert (health.ready, health.report()) == (False, {"policy": "starting", "store": "starting"})
    health.set("policy", None)
    assert health.ready is False
    health.set("store", None)
    assert (health.ready, health.report()) == (True, {"policy": "ok", "store": "ok"})


def test_a_process_without_parts_is_ready_at_once() -> None:
    """Nothing has to be there first."""
    assert Health([]).ready is True


def test_a_problem_makes_the_process_not_ready_and_is_told() -> None:
    """The text reaches /readyz."""
    health = Health(["store"])
    health.set("store", "cannot be reached")
    assert (health.ready, health.report()) == (False, {"store": "cannot be reached"})


def test_a_note_is_told_and_does_not_decide() -> None:
    """A policy's revision is worth knowing, and no problem."""
    health = Health([])
    health.note("policy revision", "abc")
    assert (health.ready, health.report()) == (True, {"policy revision": "abc"})


def test_draining_cannot_be_taken_back() -> None:
    """A process that ends stays ending, however well its parts are."""
    health = Health(["store"])
    health.drain()
    health.set("store", None)
    assert (health.ready, health.draining, health.report()) == (False, True, {"store": "ok", "process": "draining"})


def test_a_part_that_nobody_announced_is_a_mistake_of_the_program() -> None:
    """A mistyped name must not pass for a part."""
    with pytest.raises(KeyError, match="stoer"):
        Health(["store"]).set("stoer", None)


@given(STEPS)
def test_ready_is_exactly_when_no_part_tells_a_problem(steps: list[tuple[str, str | None]]) -> None:
    """Whatever the order of the news."""
    health = Health(["policy", "store"])
    for part, problem in steps:
        health.set(part, problem)
    assert health.ready == all(state == "ok" for state in health.report().values())


def test_a_check_answers_for_the_process_and_for_each_of_its_services() -> None:
    """All services share one state, and the empty name is the process."""

    async def scene() -> None:
        health = Health(["store"])
        servicer = HealthServicer(health, ["a.Service"])
        for name in ("", "a.Service"):
            assert (await servicer.check(asked(name))).status == NOT_SERVING
        health.set("store", None)
        for name in ("", "a.Service"):
            assert (await servicer.check(asked(name))).status == SERVING

    asyncio.run(scene())


def test_a_check_of_an_unknown_service_is_not_found() -> None:
    """The protocol says so."""
    servicer = HealthServicer(Health([]), ["a.Service"])
    with pytest.raises(RpcError) as raised:
        asyncio.run(servicer.check(asked("b.Service")))
    assert raised.value.status is Status.NOT_FOUND


def test_a_list_answers_for_every_name() -> None:
    """The process among them."""
    servicer = HealthServicer(Health([]), ["a.Service", "b.Service"])
    answer = asyncio.run(servicer.list(health_pb2.HealthListRequest()))
    assert {name: status.status for name, status in answer.statuses.items()} == {
        "": SERVING,
        "a.Service": SERVING,
        "b.Service": SERVING,
    }


def test_a_watch_answers_now_and_at_each_change_and_ends_with_the_process() -> None:
    """News that change nothing are not told."""

    async def scene() -> None:
        health = Health(["policy", "store"])
        watch = HealthServicer(health, []).watch(asked(""))
        assert (await anext(watch)).status == NOT_SERVING
        change = asyncio.ensure_future(anext(watch))
        await asyncio.sleep(0)
        health.set("policy", None)
        await asyncio.sleep(0)
        assert not change.done()
        health.set("store", None)
        assert (await change).status == SERVING
        health.drain()
        assert (await anext(watch)).status == NOT_SERVING
        with pytest.raises(StopAsyncIteration):
            await anext(watch)

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_a_change_while_a_watcher_takes_an_answer_is_not_missed() -> None:
    """A slow watcher hears of the state that holds, without waiting for yet another change."""

    async def scene() -> None:
        health = Health(["store"])
        watch = HealthServicer(health, []).watch(asked(""))
        assert (await anext(watch)).status == NOT_SERVING
        health.set("store", None)
        assert (await anext(watch)).status == SERVING

    asyncio.run(asyncio.wait_for(scene(), 5))


def test_a_watch_of_an_unknown_service_says_so_and_stays_open() -> None:
    """The protocol keeps the stream, because the service may come."""

    async def scene() -> None:
        health = Health([])
        watch = HealthServicer(health, []).watch(asked("b.Service"))
        assert (await anext(watch)).status == SERVICE_UNKNOWN
        health.drain()
        with pytest.raises(StopAsyncIteration):
            await anext(watch)

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_watchers_are_counted_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher that leaves makes room for the next."""
    monkeypatch.setattr(health_module, "MAX_WATCHERS", 1)

    async def scene() -> None:
        servicer = HealthServicer(Health([]), [])
        first = servicer.watch(asked(""))
        assert (await anext(first)).status == SERVING
        with pytest.raises(RpcError) as raised:
            await anext(servicer.watch(asked("")))
        assert raised.value.status is Status.RESOURCE_EXHAUSTED
        await first.aclose()  # type: ignore[attr-defined]  # an async generator, told as an iterator
        third = servicer.watch(asked(""))
        assert (await anext(third)).status == SERVING
        await third.aclose()  # type: ignore[attr-defined]

    asyncio.run(asyncio.wait_for(scene(), 10))
