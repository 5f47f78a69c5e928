from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.ports import HOST
from ratelimit_service.commands import bucket_names, counters
from ratelimit_service.commands.bucket_rows import Row
from ratelimit_service.commands.fills import Fill
from ratelimit_service.commands.show import Busiest
from ratelimit_service.limits import FixedWindow, Unit
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
  - key: agent
    rate_limit: {unit: year, requests_per_unit: 100, algorithm: sliding_window}
"""
OTHER = "domain: e\ndescriptors: [{key: user, rate_limit: {unit: year, requests_per_unit: 1000}}]\n"
LONG = "secret" * 20


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        limits = configured.limits(LIMITS, OTHER)
        fill(
            single(server),
            limits,
            "d",
            ([("user", "alice")], 9),
            ([("user", "bob")], 12),
            ([("user", "alice"), ("endpoint", "/x\x1b[2J")], 1),
            ([("agent", LONG)], 30),
            ([("user", "seen")], 0),
        )
        fill(single(server), limits, "e", ([("user", "carol")], 500))
        yield server


def show(server: Server, *words: str | Path, **environment: str) -> Answer:
    answer = run("show", *words, environment={"REDIS_URL": f"{HOST}:{server.port}", **environment})
    assert answer.err == ""
    return answer


def test_the_fullest_buckets_of_known_limits_stand_first(server: Server, tmp_path: Path) -> None:
    directory(tmp_path, LIMITS, OTHER)
    answer = show(server, "--config-dir", tmp_path)
    assert answer.status == 0
    heading, *rows, last = answer.lines
    assert heading == "used hits or tokens counted by domain entries rule"
    assert [(row.partition(" %")[0], row.rpartition(" ")[2].rpartition("/")[2]) for row in rows] == [
        ("120.0", "0.yaml:3"),
        ("90.0", "0.yaml:3"),
        ("50.0", "1.yaml:2"),
        ("30.0", "0.yaml:8"),
        ("25.0", "0.yaml:6"),
    ]
    assert "12 of 10 ends in" in rows[0]
    assert "d user=bob" in rows[0]
    assert 'd user=alice, endpoint="/x\\u001b[2J"' in rows[4]
    assert last == f"5 buckets in use at {HOST}:{server.port}"


def test_without_the_configuration_windows_are_told_by_their_count_and_buckets_by_their_time(server: Server) -> None:
    rows = show(server).lines[1:-1]
    assert [row.partition(" ")[0] for row in rows] == ["500", "30", "12", "9", "in"]
    assert rows[-1].startswith("in use is full in ")


def test_values_that_are_hashed_in_the_store_stay_so(server: Server) -> None:
    for answer in (show(server), show(server, "--json")):
        assert "secret" not in answer.out
    assert "agent=#" in show(server).out


def test_a_domain_is_shown_alone(server: Server) -> None:
    answer = show(server, "--domain", "e")
    assert len(answer.lines) == 3
    assert "e user=carol" in answer.lines[1]
    answer = show(server, "--domain", "nobody's")
    assert (answer.status, answer.lines) == (0, [f"0 buckets in use at {HOST}:{server.port}"])


def test_a_list_that_is_cut_says_so(server: Server) -> None:
    answer = show(server, "--top", "1")
    assert [row.partition(" ")[0] for row in answer.lines[1:-1]] == ["500", "in"]  # one window, one bucket
    assert answer.lines[-1] == f"5 buckets in use at {HOST}:{server.port}, 2 of them shown"


def test_the_same_is_told_in_json(server: Server, tmp_path: Path) -> None:
    told = show(server, "--json", "--domain", "d", "--config-dir", directory(tmp_path, LIMITS)).json
    assert (told["store"], told["stopped"], told["in_use"]) == (f"{HOST}:{server.port}", False, 4)
    assert told["keys_read"] >= 4
    first = told["buckets"][0]
    assert (first["bucket"], first["used"], first["size"], first["percent"]) == (
        f"rl:{{d}}:w{Unit.YEAR.value}:user=bob",
        12,
        10,
        120.0,
    )
    assert first["rule"] == {"path": "user", "source": f"{tmp_path}/0.yaml", "line": 3}


def test_more_keys_than_are_looked_at_are_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters.Counters.__init__, "__defaults__", (3,))
    assert show(server).lines[-1].startswith("there are more than ")
    assert show(server, "--json").json["stopped"] is True


def test_a_domain_that_the_configuration_does_not_know_is_refused(server: Server, tmp_path: Path) -> None:
    words = ("show", "--domain", "dd", "--config-dir", directory(tmp_path, LIMITS))
    answer = run(*words, environment={"REDIS_URL": f"{HOST}:{server.port}"})
    assert (answer.status, answer.err) == (2, "--domain: there is no domain 'dd'; did you mean 'd'?\n")


def test_of_each_group_the_fullest_are_kept_and_of_equals_the_first() -> None:
    name = bucket_names.parse("rl:{d}:w60:user=a")
    assert name is not None
    busiest = Busiest(2)
    limit = FixedWindow(10, Unit.MINUTE)
    fills = [Fill(5, limit, 1), Fill(5, limit, 2), Fill(5, limit, 3), Fill(9, limit, 4), Fill(7, None, 5)]
    fills += [Fill(None, None, 6), Fill(None, None, 8), Fill(None, None, 7)]
    for each in fills:
        busiest.add(Row(name, each, None))
    assert [row.fill.until_us for row in busiest.rows()] == [4, 1, 5, 8, 7]
    assert busiest.in_use == len(fills)
