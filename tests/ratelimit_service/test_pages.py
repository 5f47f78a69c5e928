from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from ratelimit_service import pages
from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.stores.memory import MemoryStore
from service_kit.health import Health
from service_kit.http_host import Page, Reply
from tests.ratelimit_service import configured


def answer(page: Page) -> tuple[int, str]:
    async def ask() -> Reply:
        return await page(b"")

    reply = asyncio.run(ask())
    return reply.status, reply.body


def limiter() -> Limiter:
    store = MemoryStore(lambda: 0, 1)
    return Limiter(store, store, Modes())


def lines(*texts: str) -> list[str]:
    return list(pages.lines(configured.limits(*texts)))


def of_rule(text: str) -> str:
    """The line of one rule with this limit."""
    (line,) = lines(f"domain: d\ndescriptors:\n- {{key: k, rate_limit: {{{text}}}}}\n")
    return line.removeprefix("d.k: ")


def test_the_health_page_follows_whether_calls_can_be_answered() -> None:
    health = Health(["configuration"])
    page = pages.healthcheck(health)
    assert answer(page) == (500, "not ready")
    health.set("configuration", None)
    assert answer(page) == (200, "OK")
    health.drain()
    assert answer(page) == (500, "not ready")


def test_a_rule_is_written_as_the_reference_writes_it() -> None:
    text = "domain: foo\ndescriptors: [{key: k1, value: v1, rate_limit: {unit: minute, requests_per_unit: 3}}]"
    assert lines(text) == [
        "foo.k1_v1: unit=MINUTE requests_per_unit=3, shadow_mode: false, quota_mode: false",
    ]


def test_every_rule_with_a_limit_has_a_line_in_the_order_of_its_name() -> None:
    first = """
domain: foo
descriptors:
  - key: z
    rate_limit: {unit: day, requests_per_unit: 1}
    descriptors:
      - key: b
        value: 'x*'
        shadow_mode: true
        rate_limit: {unit: second, requests_per_unit: 2}
  - key: a
    quota_mode: true
    rate_limit: {unlimited: true}
  - key: free
"""
    second = "domain: bar\ndescriptors: [{key: k, rate_limit: {unit: hour, requests_per_unit: 0}}]"
    assert lines(first, second) == [
        "bar.k: unit=HOUR requests_per_unit=0, shadow_mode: false, quota_mode: false",
        "foo.a: unlimited: true, shadow_mode: false, quota_mode: true",
        "foo.z: unit=DAY requests_per_unit=1, shadow_mode: false, quota_mode: false",
        "foo.z.b_x*: unit=SECOND requests_per_unit=2, shadow_mode: true, quota_mode: false",
    ]


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("algorithm: sliding_window", "algorithm: sliding_window"),
        ("algorithm: token_bucket, burst: 7", "algorithm: token_bucket, burst: 7"),
        ("unit_multiplier: 5", "unit_multiplier: 5"),
        ("unit_multiplier: 5, algorithm: token_bucket", "unit_multiplier: 5, algorithm: token_bucket, burst: 3"),
    ],
)
def test_what_the_reference_has_not_is_written_behind(text: str, more: str) -> None:
    usual = "unit=DAY requests_per_unit=3, shadow_mode: false, quota_mode: false"
    assert of_rule(f"unit: day, requests_per_unit: 3, {text}") == f"{usual}, {more}"


def test_the_page_of_limits_tells_those_in_use() -> None:
    service = limiter()
    page = pages.rlconfig(service)
    assert answer(page) == (500, "no rate limit configuration loaded\n")
    service.use(configured.limits("domain: d\n"))
    assert answer(page) == (200, "")
    service.use(configured.limits("domain: d\ndescriptors: [{key: k, rate_limit: {unit: day, requests_per_unit: 1}}]"))
    assert answer(page) == (200, "d.k: unit=DAY requests_per_unit=1, shadow_mode: false, quota_mode: false\n")


def test_the_page_of_statistics_has_a_line_for_each_number() -> None:
    registry = CollectorRegistry()
    Gauge("b", "A gauge", registry=registry).set(0.5)
    counter = Counter("a", "A counter", ["domain", "rule"], registry=registry)
    counter.labels("d", "user=x").inc(3)
    counter.labels("c", "user").inc(1_000)
    assert answer(pages.stats(registry)) == (
        200,
        "a_total.domain=c.rule=user: 1000\na_total.domain=d.rule=user=x: 3\nb: 0.5\n",
    )
