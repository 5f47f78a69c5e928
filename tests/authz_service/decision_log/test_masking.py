"""The policies' mask rules do to an event what OPA makes of them, shown beside the real one where it is installed."""

from __future__ import annotations

import copy
import json
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.decision_log.masking import MAX_RULES, MaskError, mask, read_rules
from tests.authz_service.policy.opa_servers import PATIENCE, needs_opa, real_opa

INPUT: dict[str, Any] = {
    "user": {"email": "a@b.example", "roles": ["x", "y"], "deep": {"er": [{"k": 1}, [2, 3]]}},
    "list": [1, {"a": 2}, 3],
    "text": "t",
    "null": None,
    "0": "zero",
}
RESULT: dict[str, Any] = {"allowed": True, "headers": {"x-a": "1"}}


def masked(*rules: Any, event: dict[str, Any] | None = None) -> dict[str, Any]:
    """An event after these rules."""
    found = copy.deepcopy(event) if event is not None else {"input": INPUT, "result": RESULT}
    found = copy.deepcopy(found)
    mask(found, read_rules(list(rules)))
    return found


def upsert(path: str, value: Any) -> dict[str, Any]:
    return {"op": "upsert", "path": path, "value": value}


# What both say; each is one event, its rules in their order.
CASES: list[list[Any]] = [
    ["/input/user/email"],
    ["/input/user"],
    ["/input"],
    ["/result"],
    ["/result/headers/x-a"],
    ["/input/absent", "/input/user/absent/more", "/input/text/more", "/nd_builtin_cache"],
    ["/input/list/1"],
    ["/input/list/9", "/input/list/-1", "/input/list/x"],
    ["/input/user/deep/er/1/0"],
    ["/input/user/deep/er/0/k"],
    ["/input/0"],
    ["/input/null"],
    ["/input/user/email/"],
    [{"op": "remove", "path": "/input/user/email"}],
    [upsert("/input/user/email", "**")],
    [upsert("/input/user/email", {"nested": [1]})],
    [upsert("/input/user/new/er", 1)],
    [upsert("/input/list/0", "first")],
    [upsert("/input/list/1/a", "second")],
    [upsert("/input/list/7", "none")],
    [upsert("/input/text/below", "none")],
    [upsert("/input/null/below", "none")],
    [upsert("/input", "all")],
    [upsert("/result", {"allowed": "?"})],
    [upsert("/result/allowed", None)],
    [upsert("/nd_builtin_cache/x", 1)],
    ["/input/user", upsert("/input/user/email", "again")],
]


@needs_opa
def test_rules_do_what_the_real_opa_makes_of_them() -> None:
    """Input, result, `erased` and `masked` of each case are the same."""
    policy = f"""\
package system.log

cases := {json.dumps(CASES)}

mask contains rule if some rule in cases[input.input.case]
"""
    decision = f"\npackage_result := {json.dumps(RESULT)}\n"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with real_opa(policy + decision, "--set=decision_logs.console=true", "--log-level=info", log=log) as url:
            for number in range(len(CASES)):
                body = json.dumps({"input": {**INPUT, "case": number}}).encode()
                urllib.request.urlopen(f"{url}/v1/data/system/log/package_result", body).close()  # noqa: S310  (ours)
            events = logged(log, len(CASES))
    for number, (rules, theirs) in enumerate(zip(CASES, events, strict=True)):
        in_order = sorted(rules, key=lambda rule: (isinstance(rule, dict), json.dumps(rule)))
        ours = masked(*in_order, event={"input": {**INPUT, "case": number}, "result": RESULT})
        assert {name: theirs[name] for name in ("input", "result", "erased", "masked") if name in theirs} == ours, rules


def logged(log: Path, count: int) -> list[dict[str, Any]]:
    """The decisions in the real server's log, once all are there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        lines = [json.loads(line) for line in log.read_text().splitlines() if '"Decision Log"' in line]
        if len(lines) >= count:
            return lines
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_rule_removes_or_replaces_and_the_event_tells_which() -> None:
    event = masked("/input/user/email", upsert("/input/text", "**"), "/input/absent")
    assert "email" not in event["input"]["user"]
    assert event["input"]["text"] == "**"
    assert (event["erased"], event["masked"]) == (["/input/user/email"], ["/input/text"])


@pytest.mark.parametrize(
    ("path", "pointer"),
    [("/input/a b", "/input/a%20b"), ("/input/a%20b", "/input/a%2520b"), ("/input/c%2Fd", "/input/c%252Fd")],
)
def test_a_name_with_special_characters_is_found_as_it_is_written_or_decoded(path: str, pointer: str) -> None:
    """OPA finds none of them, and shows what the rule was to hide."""
    event = masked(path, event={"input": {"a b": 1, "c/d": 2}})
    assert len(event["input"]) == 1
    assert event["erased"] == [pointer]


@pytest.mark.parametrize(
    "rules",
    [
        "/input",
        {"/input": 1},
        True,
        None,
        [""],
        ["input"],
        ["/output"],
        ["/"],
        ["/inputs/x"],
        [5],
        [None],
        [["/input"]],
        [{}],
        [{"path": "/input"}],
        [{"op": "replace", "path": "/input"}],
        [{"op": "remove"}],
        [{"op": "remove", "path": 5}],
        [{"op": ["remove"], "path": "/input"}],
        ["/input/" + "x" * 2_000],
        ["/input"] * (MAX_RULES + 1),
    ],
    ids=lambda rules: str(rules)[:30],
)
def test_what_is_no_set_of_rules_is_an_error(rules: Any) -> None:
    """One rule that is not understood makes the whole set so: it was to hide something."""
    with pytest.raises(MaskError):
        read_rules(rules)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text("ab/%0", max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("ab/%0", max_size=2), below, max_size=3),
    max_leaves=8,
)
paths = st.lists(st.text("ab%01", max_size=2), max_size=4).map(lambda names: "/".join(["/input", *names]))


@given(json_values, st.lists(paths | st.builds(upsert, paths, json_values), max_size=5))
def test_no_rule_fails_on_any_event_and_one_that_did_nothing_is_not_told_of(value: Any, rules: list[Any]) -> None:
    before: dict[str, Any] = {"input": value}
    event = masked(*rules, event=before)
    if not event.get("erased") and not event.get("masked"):
        assert event == before
