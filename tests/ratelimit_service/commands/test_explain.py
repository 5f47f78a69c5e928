from __future__ import annotations

from pathlib import Path

import pytest

from tests.ratelimit_service.commands.terminal import Answer, directory, run

LIMITS = """\
domain: d
descriptors:
  - key: user
    rate_limit: {unit: minute, requests_per_unit: 100, algorithm: token_bucket, burst: 20, name: each}
    descriptors:
      - key: endpoint
        value: /reports
        rate_limit: {unit: minute, unit_multiplier: 5, requests_per_unit: 5}
      - key: endpoint
  - key: user
    value: alice
    rate_limit: {unit: hour, requests_per_unit: 1, replaces: [{name: each}]}
  - key: tier
    value: free*
    share_threshold: true
    shadow_mode: true
    rate_limit: {unit: day, requests_per_unit: 10, algorithm: sliding_window}
  - key: job
    quota_mode: true
    rate_limit: {unit: day, requests_per_unit: 10}
  - key: open
    rate_limit: {unlimited: true}
"""


@pytest.fixture
def limits(tmp_path: Path) -> Path:
    return directory(tmp_path, LIMITS)


def explain(limits: Path, *words: str) -> Answer:
    answer = run("explain", "--config-dir", limits, "--domain", "d", *words)
    assert answer.err == ""
    return answer


def test_the_way_to_a_rule_is_told_level_by_level(limits: Path) -> None:
    answer = explain(limits, "user=bob", "endpoint=/reports")
    assert answer.status == 0
    at = f"{limits}/0.yaml"
    assert answer.lines == [
        "descriptor 1: user=bob, endpoint=/reports",
        "user=bob",
        f"-> user {at}:3 any value",
        f"user=alice {at}:10 asks for another value",
        f"tier=free* {at}:13 asks for another key",
        f"job {at}:18 asks for another key",
        f"open {at}:21 asks for another key",
        "endpoint=/reports",
        f"-> user,endpoint=/reports {at}:6 exact",
        f"user,endpoint {at}:9 takes this too, but the exact rule wins",
        f"rule user,endpoint=/reports ({at}:6)",
        "limit 5 per 5 minutes, fixed_window",
        "bucket rl:{d}:w300:user=bob:endpoint=/reports",
    ]


def test_a_limit_is_told_in_words_with_its_name_and_the_rules_below(limits: Path) -> None:
    lines = explain(limits, "user=bob").lines
    at = f"{limits}/0.yaml"
    assert lines[lines.index("no further entry") :] == [
        "no further entry",
        f"user,endpoint=/reports {at}:6 needs one more entry",
        f"user,endpoint {at}:9 needs one more entry",
        f"rule user ({at}:3), named each",
        "limit 100 per minute, token_bucket, burst 20",
        "bucket rl:{d}:b:user=bob",
    ]


def test_entries_that_no_rule_takes_are_told_with_the_sibling_that_would_have_led_on(limits: Path) -> None:
    answer = explain(limits, "user=alice", "endpoint=/x")
    assert answer.status == 1
    assert answer.lines[-4:] == [
        "endpoint=/x",
        "-> there are no rules below",
        "no rule nothing takes endpoint=/x: these requests are not limited",
        f"note user ({limits}/0.yaml:3) leads on, but no step is taken back",
    ]
    answer = explain(limits, "x=y", "z=z", "z=z")
    assert answer.lines[2] == "-> no rule takes this"
    assert answer.lines[-1] == "no rule nothing takes x=y, and 2 further entries: these requests are not limited"


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (
            "tier=free-1",
            [
                "limit 10 per day, sliding_window",
                "bucket rl:{d}:s86400:tier~free%2A",
                "flag shadow_mode: counts, and denies nothing",
            ],
        ),
        (
            "job=1",
            [
                "limit 10 per day, fixed_window",
                "bucket rl:{d}:w86400:job=1",
                "flag quota_mode: denies when all quotas of the request are over",
            ],
        ),
        ("open=1", ["limit none: unlimited"]),
    ],
)
def test_flags_are_told(limits: Path, entry: str, told: list[str]) -> None:
    lines = explain(limits, entry).lines
    assert lines[-len(told) :] == told


def test_a_rule_without_a_limit_is_told_to_count_nothing(limits: Path) -> None:
    answer = explain(limits, "user=bob", "endpoint=/x")
    assert (answer.status, answer.lines[-1]) == (0, "limit none: these requests pass uncounted")


def test_a_rule_that_another_of_the_request_replaces_is_told_to_be_so(limits: Path) -> None:
    answer = explain(limits, "user=bob", "/", "user=alice")
    first, second = answer.out.split("\n\n")
    at = f"{limits}/0.yaml"
    assert [" ".join(line.split()) for line in first.splitlines()[-3:]] == [
        f"rule user ({at}:3), named each",
        f"replaced by user=alice ({at}:10) of the same request, whose `replaces` names it",
        "limit 100 per minute, token_bucket, burst 20, not counted",
    ]
    assert second.startswith("descriptor 2: user=alice\n")
    assert "replaced" not in explain(limits, "user=bob").out


def test_many_siblings_are_counted_rather_than_listed(tmp_path: Path) -> None:
    rules = "".join(f"  - {{key: k, value: v{number}}}\n" for number in range(60))
    directory(tmp_path, f"domain: d\ndescriptors:\n{rules}  - key: k\n")
    answer = explain(tmp_path, "k=v59")
    assert len(answer.lines) == 1 + 1 + 1 + 20 + 1 + 2
    assert answer.lines[3].endswith("takes this too, but the exact rule wins")  # the nearest are those that are listed
    assert answer.lines[-3] == "and 40 more"
    told = run("explain", "--json", "--config-dir", tmp_path, "--domain", "d", "k=v59").json
    (level,) = told["descriptors"][0]["levels"]
    assert (len(level["passed"]), level["passed_in_all"]) == (20, 60)


def test_the_same_is_told_in_json(limits: Path) -> None:
    answer = run("explain", "--json", "--config-dir", limits, "--domain", "d", "user=bob", "/", "user=alice", "x=y")
    assert answer.status == 1
    assert answer.json["domain"] == "d"
    bob, alice = answer.json["descriptors"]
    place = {"path": "user", "source": f"{limits}/0.yaml", "line": 3}
    assert (bob["entries"], bob["rule"], bob["bucket"]) == ([["user", "bob"]], place, "rl:{d}:b:user=bob")
    assert bob["limit"] == "100 per minute, token_bucket, burst 20"
    assert bob["levels"][0]["rule"] == place | {"how": "any value"}
    assert bob["levels"][0]["passed"][0]["why"] == "asks for another value"
    assert [rule["path"] for rule in bob["deeper"]] == ["user,endpoint=/reports", "user,endpoint"]
    assert (alice["rule"], alice["limit"], alice["bucket"], alice["replaced_by"]) == (None, None, None, [])


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("user",), "'user' is not an entry: it must be key=value"),
        (("user=a", "/"), "a descriptor has no entries: each '/' stands between two descriptors"),
        (("/", "user=a"), "a descriptor has no entries: each '/' stands between two descriptors"),
    ],
)
def test_entries_that_make_no_descriptor_are_refused(limits: Path, words: tuple[str, ...], error: str) -> None:
    answer = run("explain", "--config-dir", limits, "--domain", "d", *words)
    assert (answer.status, answer.out, answer.err) == (2, "", f"{error}\n")


def test_a_domain_without_limits_is_refused(limits: Path) -> None:
    answer = run("explain", "--config-dir", limits, "--domain", "e", "user=a")
    assert (answer.status, answer.err) == (2, "--domain: there is no domain 'e'; there are: 'd'\n")
