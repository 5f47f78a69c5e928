from __future__ import annotations

import json

from ratelimit_service.commands import replay_report
from ratelimit_service.commands.access_log import Shape, Take, Unreadable
from ratelimit_service.commands.replay import Outcome
from ratelimit_service.commands.tally import RuleCount, Tally, Who
from ratelimit_service.limits import FixedWindow, TokenBucket, Unit
from ratelimit_service.rules import Rule

NOW_US = 1_763_870_400_000_000
USER = Rule("user", (("user", ""),), "f.yaml", 3, FixedWindow(2, Unit.MINUTE))
JOB = Rule("job", (("job", ""),), "f.yaml", 6, TokenBucket(2, Unit.MINUTE, burst=9), quota_mode=True)
AGENT = Rule("agent", (("agent", ""),), "f.yaml", 9, FixedWindow(2, Unit.MINUTE), shadow_mode=True)


def tally() -> Tally:
    found = Tally(requests=1_000, denied=25, without_limit=3, first_us=NOW_US, last_us=NOW_US + 90_000_000)
    found.binding.rules = {
        ("d", "job"): RuleCount("d", JOB, 10, 0),
        ("d", "user"): RuleCount("d", USER, 1_000, 25),
    }
    for user, times in (("a\nb", 4), ("carol", 2)):
        for second in range(times):
            found.binding.limited.note(Who("d", (("user", user),)), NOW_US + second * 1_000_000, over=True)
    return found


def plain(found: Tally, top: int = 5) -> list[str]:
    return [" ".join(line.split()) for line in "\n".join(replay_report.lines(found, top)).splitlines()]


def test_a_report_tells_how_many_by_which_rule_and_whom() -> None:
    assert plain(tally()) == [
        "1,000 requests in 1 min 30 s, from 2025-11-23T04:00:00.000Z to 2025-11-23T04:01:30.000Z",
        "25 would be limited (2.5 %)",
        "3 meet no limit",
        "",
        "by rule",
        "over asked rule limit",
        "25 of 1,000 2.5 % d: user 2 per minute, fixed_window f.yaml:3",
        "0 of 10 0.0 % d: job 2 per minute, token_bucket, burst 9, quota_mode f.yaml:6",
        "",
        "most often over",
        "times longest stretch from descriptor",
        '4 3 s 2025-11-23T04:00:00.000Z d: user="a\\nb"',
        "2 1 s 2025-11-23T04:00:00.000Z d: user=carol",
        'longest stretch over: 3 s from 2025-11-23T04:00:00.000Z, d: user="a\\nb"',
    ]


def test_a_list_that_is_cut_and_counts_that_may_lack_some_say_so() -> None:
    found = tally()
    found.binding.limited.forgotten = 7
    lines = plain(found, top=1)
    assert "and 1 more" in lines
    assert lines[-1] == "too many descriptors to count them all: each may have been over 7 times more"


def test_rules_in_shadow_mode_stand_apart() -> None:
    found = Tally(requests=1)
    found.shadow.rules = {("d", "agent"): RuleCount("d", AGENT, 5, 0)}
    lines = plain(found)
    assert "by rule" not in lines
    assert lines[-3:] == [
        "by rule in shadow mode, which denies nothing",
        "over asked rule limit",
        "0 of 5 0.0 % d: agent 2 per minute, fixed_window f.yaml:9",
    ]


def test_what_a_reader_should_know_of_the_log_is_told() -> None:
    found = Tally(late=2, late_by_us=1_500_000, foreign=4, foreign_domains={"y", "x z"}, uncounted=1)
    outcome = Outcome(found, 12, [Unreadable(3, "is not UTF-8")])
    shape = Shape(((Take("user", "user"), Take("a", "jwt.sub")), (Take("kind", None, "x"),)))
    assert list(replay_report.notes(outcome, shape, {"user"})) == [
        "line 3 is not UTF-8",
        "and 11 more lines that cannot be read",
        "2 lines out of order, by up to 2 s: taken to come at the latest time before",
        '4 requests of domains without limits: "x z", y',
        "1 request not counted: all 1,000,000 buckets in memory were in use",
        "no line has a value for jwt.sub",
    ]
    assert list(replay_report.notes(Outcome(), Shape(), set())) == []


def test_the_same_is_told_in_json() -> None:
    told = json.loads(json.dumps(replay_report.to_json(Outcome(tally(), 1, [Unreadable(3, "x")]), 1)))
    assert (told["requests"], told["limited"], told["without_limit"]) == (1_000, 25, 3)
    assert told["unreadable"] == {"lines": 1, "first": [{"line": 3, "why": "x"}]}
    assert [(rule["path"], rule["over"], rule["line"]) for rule in told["binding"]["rules"]] == [
        ("user", 25, 3),
        ("job", 0, 6),
    ]
    first = {
        "domain": "d",
        "entries": [["user", "a\nb"]],
        "over": 4,
        "longest_seconds": 3.0,
        "longest_from": "2025-11-23T04:00:00.000Z",
    }
    assert told["binding"]["descriptors"] == [first]
    assert (told["binding"]["descriptors_in_all"], told["binding"]["longest"]) == (2, first)
    assert (told["shadow"]["rules"], told["shadow"]["longest"]) == ([], None)
    nothing = replay_report.to_json(Outcome(), 1)
    assert (nothing["requests"], nothing["first_time"]) == (0, None)
