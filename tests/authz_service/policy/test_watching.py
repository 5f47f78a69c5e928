"""Where engines come from: files that are watched, a URL that is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz_service.policy.compiling import Job
from authz_service.policy.engine import Engine
from authz_service.policy.watching import PolledPolicy, WatchedPolicy
from service_kit.faults import ConfigurationError, Fault


class Built:
    """An engine that remembers its job's bundle."""

    reads = None
    loaded = 0.0

    def __init__(self, content: bytes) -> None:
        self.revision = content.decode()

    async def decide(self, rule: str, document: object) -> bool:
        del rule, document
        return True


class Endpoint:
    """Answers from a list: a bundle, None, or an error."""

    def __init__(self, *answers: bytes | ConfigurationError | None) -> None:
        self.answers = list(answers)
        self.forgotten = 0

    async def fetch(self) -> bytes | None:
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, ConfigurationError):
            raise answer
        return answer

    def forget(self) -> None:
        self.forgotten += 1


async def build(job: Job) -> Engine:
    """Take what the file holds for the revision; `bad` cannot be compiled."""
    content = await asyncio.to_thread(Path(job.bundle).read_bytes)
    if content == b"bad":
        raise ConfigurationError([Fault(job.bundle, 0, "cannot be compiled"), Fault("a.rego", 3, "is wrong")])
    return Built(content)


def polled(endpoint: Endpoint) -> PolledPolicy:
    """One that asks without waiting."""
    url = "https://policies.example/bundle.tar.gz"
    return PolledPolicy(endpoint, Job(rules=("a/d",)), build, url=url, seconds=0.001, jitter=lambda: 0.5)


def watched(source: PolledPolicy | WatchedPolicy, until: Callable[[list[Any]], bool]) -> list[Any]:
    """Watch until enough has happened; return the revisions that came into use and the errors, in order."""
    seen: list[Any] = []

    async def run() -> None:
        enough = asyncio.Event()

        def note(what: object) -> None:
            seen.append(what)
            if until(seen):
                enough.set()

        task = asyncio.ensure_future(source.watch(lambda engine: note(engine.revision), note))
        async with asyncio.timeout(20):
            await enough.wait()
        task.cancel()

    asyncio.run(run())
    return seen


def test_the_first_bundle_is_fetched_and_compiled() -> None:
    """From a file that is gone afterwards."""
    assert asyncio.run(polled(Endpoint(b"r1")).load()).revision == "r1"


def test_a_url_that_has_nothing_at_first_is_a_fault() -> None:
    """The service does not start without a policy."""
    with pytest.raises(ConfigurationError, match=r"https://policies\.example/bundle\.tar\.gz: "):
        asyncio.run(polled(Endpoint(None)).load())


def test_what_has_changed_comes_into_use_and_what_has_not_does_not() -> None:
    """304 is no news."""
    assert watched(polled(Endpoint(None, b"r2", None, b"r3")), lambda seen: len(seen) == 2) == ["r2", "r3"]


def test_a_failure_is_told_and_does_not_end_the_watch() -> None:
    """And what could not be used is fetched anew, so that a fault that passes does no lasting harm."""
    away = ConfigurationError([Fault("https://policies.example/bundle.tar.gz", 0, "answered 503")])
    endpoint = Endpoint(away, b"bad", b"r2")
    failure, refused, revision = watched(polled(endpoint), lambda seen: len(seen) == 3)
    assert (failure, revision, endpoint.forgotten) == (away, "r2", 2)
    assert {str(fault) for fault in refused.faults} == {
        "https://policies.example/bundle.tar.gz: cannot be compiled", "a.rego:3: is wrong",
    }  # fmt: skip


def test_files_that_change_are_compiled_anew(tmp_path: Path) -> None:
    """Also if they changed before the first look."""
    file = tmp_path / "bundle"
    file.write_bytes(b"r1")
    source = WatchedPolicy([file], Job(bundle=str(file), rules=("a/d",)), build)
    assert asyncio.run(source.load()).revision == "r1"
    file.write_bytes(b"r22")
    assert watched(source, lambda seen: len(seen) == 1) == ["r22"]
