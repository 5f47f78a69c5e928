from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.ports import HOST
from ratelimit_service.limits import Unit
from tests.ratelimit_service import configured
from tests.ratelimit_service.commands.filling import fill, single
from tests.ratelimit_service.commands.terminal import Answer, directory, run
from tests.valkey_servers import Server

LIMITS = """\
domain: d
descriptors:
  - key: user
    rate_limit: {unit: year, requests_per_unit: 10}
    descriptors:
      - key: endpoint
        rate_limit: {unit: year, requests_per_unit: 4, algorithm: token_bucket}
  - key: plan
    value: free*
    share_threshold: true
    rate_limit: {unit: year, requests_per_unit: 10}
"""
LONGER = "domain: d\ndescriptors: [{key: user, rate_limit: {unit: week, requests_per_unit: 10}}]\n"
YEAR, WEEK = Unit.YEAR.value, Unit.WEEK.value
NOTE = "note: replicas that run with LOCAL_CACHE_SIZE_IN_BYTES may go on denying"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(autouse=True)
def _filled(server: Server) -> None:
    with server.client() as client:
        client.flushall()
    users = ("alice", "alice2", "*", "[a]lice")
    fill(single(server), configured.limits(LIMITS), "d", *([[("user", user)], 9] for user in users))  # type: ignore[arg-type]  # lists
    fill(single(server), configured.limits(LONGER), "d", ([("user", "alice")], 3))
    fill(single(server), configured.limits(LIMITS), "d", ([("user", "alice"), ("endpoint", "/x")], 1))
    fill(single(server), configured.limits(LIMITS), "d", ([("plan", "free-1")], 5))


def reset(server: Server, *words: str | Path, **environment: str) -> Answer:
    answer = run("reset", "--domain", "d", *words, environment={"REDIS_URL": f"{HOST}:{server.port}", **environment})
    assert answer.err == ""
    return answer


def left(server: Server) -> set[str]:
    with server.client() as client:
        return {key.decode() for key in client.scan_iter()}


def test_the_buckets_of_exactly_these_entries_are_deleted_whatever_their_kind(server: Server) -> None:
    before = left(server)
    answer = reset(server, "user=alice")
    assert answer.status == 0
    assert before - left(server) == {f"rl:{{d}}:w{YEAR}:user=alice", f"rl:{{d}}:w{WEEK}:user=alice"}
    assert sorted(line.split(" ")[0] for line in answer.lines[1:3]) == ["3", "9"]
    assert answer.lines[3] == f"deleted 2 buckets of user=alice in domain d at {HOST}:{server.port}"
    assert answer.lines[4].startswith(NOTE)


def test_with_the_configuration_it_is_told_how_full_they_were(server: Server, tmp_path: Path) -> None:
    answer = reset(server, "--config-dir", directory(tmp_path, LIMITS), "user=alice", "endpoint=/x")
    assert answer.status == 0
    assert answer.lines[1].startswith("25.0 % 1 of 4 is full in ")
    assert answer.lines[1].endswith(f"{tmp_path}/0.yaml:6")


def test_buckets_of_further_entries_are_deleted_only_if_that_is_asked_for(server: Server) -> None:
    below = "rl:{d}:b:user=alice:endpoint=/x"
    reset(server, "user=alice")
    assert below in left(server)
    assert reset(server, "--all-under", "user=alice").status == 0
    assert left(server) >= {f"rl:{{d}}:w{YEAR}:user=alice2"}
    assert below not in left(server)


def test_a_dry_run_deletes_nothing(server: Server) -> None:
    before = left(server)
    answer = reset(server, "--dry-run", "--all-under", "user=alice")
    assert (answer.status, left(server)) == (0, before)
    assert answer.lines[-1] == f"would delete 3 buckets of user=alice in domain d at {HOST}:{server.port}"


@pytest.mark.parametrize("user", ["*", "[a]lice"])
def test_characters_of_a_pattern_stand_for_themselves(server: Server, user: str) -> None:
    before = left(server)
    assert reset(server, "--all-under", f"user={user}").status == 0
    assert len(before - left(server)) == 1


def test_nothing_that_counts_these_entries_is_an_exit_code_of_its_own(server: Server) -> None:
    answer = reset(server, "user=nobody")
    assert (answer.status, answer.out) == (1, f"nothing counts user=nobody in domain d at {HOST}:{server.port}\n")
    assert reset(server, "endpoint=/x").status == 1  # not one that only ends with them
    assert len(left(server)) == 7


def test_a_bucket_that_values_share_is_found_by_one_of_them_with_the_configuration(
    server: Server, tmp_path: Path
) -> None:
    assert reset(server, "plan=free-2").status == 1
    answer = reset(server, "--config-dir", directory(tmp_path, LIMITS), "plan=free-2")
    assert answer.status == 0
    assert "plan~free*" in answer.lines[1]
    assert not [name for name in left(server) if "plan" in name]


def test_what_counts_nothing_any_more_is_deleted_too(server: Server) -> None:
    with server.client() as client:
        client.set("rl:{d}:w60:user=old", "60 7")
    answer = reset(server, "user=old")
    assert answer.lines[0].endswith(", 1 of them with nothing in use")


def test_a_prefix_goes_before_every_key(server: Server) -> None:
    fill(single(server), configured.limits(LIMITS), "d", ([("user", "alice")], 9), prefix="a*:")
    before = left(server)
    assert reset(server, "user=alice", CACHE_KEY_PREFIX="a*:").status == 0
    assert before - left(server) == {f"a*:rl:{{d}}:w{YEAR}:user=alice"}


def test_the_same_is_told_in_json(server: Server) -> None:
    told = reset(server, "--json", "user=alice", "endpoint=/x").json
    assert {key: told[key] for key in ("store", "dry_run", "deleted", "found", "stopped")} == {
        "store": f"{HOST}:{server.port}",
        "dry_run": False,
        "deleted": 1,
        "found": 1,
        "stopped": False,
    }
    assert [bucket["bucket"] for bucket in told["buckets"]] == ["rl:{d}:b:user=alice:endpoint=/x"]
    assert "LOCAL_CACHE_SIZE_IN_BYTES" in told["note"]
    answer = reset(server, "--json", "user=nobody")
    assert (answer.status, answer.json["found"]) == (1, 0)


def test_what_is_no_entry_is_refused(server: Server) -> None:
    answer = run("reset", "--domain", "d", "user", environment={"REDIS_URL": f"{HOST}:{server.port}"})
    assert (answer.status, answer.out, answer.err) == (2, "", "'user' is not an entry: it must be key=value\n")
