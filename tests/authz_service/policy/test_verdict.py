"""The decision rule's value → a verdict; what is not understood is an error."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.actions import NO_OVERRIDES, Action, Overrides
from authz_service.errors import PolicyFailed
from authz_service.policy.verdict import FOR_ALLOW, FOR_DENIAL, STATUSES, Verdict, read_verdict
from authz_service.rego_engine.values import UNDEFINED
from service_kit.wire.envoy_type_pb2 import StatusCode


def test_a_boolean_is_a_verdict() -> None:
    """The shortest form."""
    assert read_verdict(True) == Verdict(allowed=True)
    assert read_verdict(False) == Verdict(allowed=False, http_status=403)


def test_an_allow_with_every_field_is_read_in_full() -> None:
    """Header names in lower case, query parameters as they are; what is for denials only is passed over."""
    assert read_verdict(
        {
            "allowed": True,
            "headers": {"X-A": "1", "x-b": ["2", "3"]},
            "response_headers_to_add": [{"X-C": "4"}, {"X-C": ["5"]}],
            "request_headers_to_remove": ["x-d"],
            "query_parameters_to_set": {"a b": "c&d", "e": ["1", "2"]},
            "query_parameters_to_remove": ["f"],
            "body": "no",
            "http_status": 429,
            "dynamic_metadata": {"k": [1, {"n": None}]},
            "dlp": {"us_ssn": "allow"},
            "code": "c",
            "reason": "r",
            "policy_id": "p",
            "unknown": "passed over, as opa-envoy-plugin does",
        }
    ) == Verdict(
        allowed=True,
        headers=(("x-a", "1"), ("x-b", "2"), ("x-b", "3")),
        response_headers_to_add=(("x-c", "4"), ("x-c", "5")),
        request_headers_to_remove=("x-d",),
        query_parameters_to_set=(("a b", "c&d"), ("e", "1"), ("e", "2")),
        query_parameters_to_remove=("f",),
        dynamic_metadata={"k": [1, {"n": None}]},
        code="c",
        reason="r",
        policy_id="p",
        dlp=Overrides({"us_ssn": Action.ALLOW}, {"us_ssn": Action.ALLOW}),
    )


def test_a_denial_with_every_field_is_read_in_full() -> None:
    """What is for allows only is passed over."""
    assert read_verdict(
        {
            "allowed": False,
            "headers": [{"Set-Cookie": ["a=1", "b=2"]}],
            "response_headers_to_add": {"x-c": "4"},
            "request_headers_to_remove": ["x-d"],
            "query_parameters_to_set": {"e": "1"},
            "query_parameters_to_remove": ["f"],
            "body": "no",
            "http_status": 429,
            "dynamic_metadata": {"k": 1},
        }
    ) == Verdict(
        allowed=False,
        headers=(("set-cookie", "a=1"), ("set-cookie", "b=2")),
        body="no",
        http_status=429,
        dynamic_metadata={"k": 1},
    )


@pytest.mark.parametrize(
    "value",
    [UNDEFINED, None, 0, 1, 1.0, "true", "", [], [True], {}, {"allow": True}, {"allowed": None}, {"allowed": 1},
     {"allowed": "true"}, {"allowed": [True]}, {"allowed": {}}, {"Allowed": True}, {"result": True}],
)  # fmt: skip
def test_what_is_no_decision_is_an_error(value: object) -> None:
    """Never an allow, and never taken for a denial either: an operator must see it."""
    with pytest.raises(PolicyFailed) as caught:
        read_verdict(value)
    assert (caught.value.status, caught.value.code) == (503, "policy_failed")


WRONG: dict[str, list[Any]] = {
    "headers": [
        7,
        "x",
        True,
        None,
        ["x"],
        [["x"]],
        {"a": 1},
        {"a": None},
        {"a": ["b", 1]},
        {"a": {"b": "c"}},
        [{"a": 1}],
    ],
    "response_headers_to_add": [7, "x", ["x"], {"a": 1}, {"a": [None]}, [{"a": True}, {}]],
    "request_headers_to_remove": [7, "x", {"x": "y"}, [1], [None], [["x"]]],
    "query_parameters_to_set": [7, "x", ["x"], [], [{"a": "b"}], {"a": 1}, {"a": [True]}],
    "query_parameters_to_remove": [7, "x", {}, [1]],
    "body": [7, True, [], {}],
    "http_status": [None, "403", True, 403.5, [], {}, -1, 0, 99, 299, 418, 451, 600, 2**70],
    "dynamic_metadata": [None, 7, "x", [], True],
}


OURS = ("code", "reason", "policy_id")
CASES = [
    pytest.param(allowed, name, value, id=f"{allowed}-{name}-{value!r}")
    for allowed in (True, False)
    for name, values in WRONG.items()
    for value in values
]


@pytest.mark.parametrize(("allowed", "name", "value"), CASES)
def test_a_field_of_the_wrong_type_is_an_error_where_this_outcome_uses_it(
    allowed: bool,  # noqa: FBT001  (both)
    name: str,
    value: object,
) -> None:
    """The message names the field; a field of the other outcome is not looked at, as opa-envoy-plugin does."""
    if name in (FOR_ALLOW if allowed else FOR_DENIAL):
        with pytest.raises(PolicyFailed, match=f"`{name}`"):
            read_verdict({"allowed": allowed, name: value})
    else:
        assert read_verdict({"allowed": allowed, name: value}) == Verdict(allowed)


def nested(depth: int) -> Any:
    """A value this many levels down."""
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize(
    "value",
    [10**400, -(10**400), float("nan"), float("inf"), Decimal("1.5e400"), [{"b": [10**400]}], nested(30), [0] * 10_000,
     "x" * (256 * 1024), {"x" * (256 * 1024): 1}],
)  # fmt: skip
def test_metadata_that_cannot_be_sent_is_an_error(allowed: bool, value: Any) -> None:  # noqa: FBT001  (both)
    """Before it is written down that the request passes."""
    with pytest.raises(PolicyFailed, match="`dynamic_metadata`"):
        read_verdict({"allowed": allowed, "dynamic_metadata": {"k": value}})


def test_metadata_within_the_bounds_is_taken_with_decimals_as_doubles() -> None:
    """The nearest ones: there is nothing else to send them as."""
    metadata = {"a": [Decimal("0.33333333333333333334"), {"b": 10**300}], "c": nested(29)}
    found = read_verdict({"allowed": True, "dynamic_metadata": metadata}).dynamic_metadata
    assert found == {"a": [1 / 3, {"b": 10**300}], "c": nested(29)}
    assert type(found["a"][0]) is float


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("value", [7, True, [], {}])
def test_a_field_of_ours_that_is_no_text_is_passed_over(name: str, value: object) -> None:
    """Policies for opa-envoy-plugin, which ignores it, may mean something else by the name."""
    assert read_verdict({"allowed": True, name: value}) == Verdict(allowed=True)


@pytest.mark.parametrize("name", ["body", "code", "reason", "policy_id"])
def test_a_text_that_is_null_is_absent(name: str) -> None:
    """Rego has no other way to leave a key out of an object."""
    assert read_verdict({"allowed": False, name: None}) == Verdict(allowed=False)


@pytest.mark.parametrize("name", ["headers", "response_headers_to_add"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("x-a", "1\r\nx-admin: true"),
        ("x-a", "1\n"),
        ("x-a", "\r"),
        ("x-a", "\x00"),
        ("x-a", "a\x0bb"),
        ("x-a", "\x7f"),
        ("x-a\r\nx-admin", "true"),
        ("x-a\n", "1"),
        ("x-a:", "1"),
        ("x a", "1"),
        ("x-ä", "1"),
        ("", "1"),
        (":", "1"),
        ("a:b", "1"),
        ("::a", "1"),
        ("x-a\x00", "1"),
        ("(x)", "1"),
    ],
)
def test_a_header_that_could_end_early_is_an_error(name: str, key: str, value: str) -> None:
    """A policy may build headers from what a client sent."""
    for written in ({key: value}, {key: ["fine", value]}, [{"x-fine": "1"}, {key: value}]):
        with pytest.raises(PolicyFailed) as caught:
            read_verdict({"allowed": True, name: written})
        assert "admin" not in caught.value.detail


@pytest.mark.parametrize("value", ["", " ", "a\tb", "ü", "日本", "a" * 10_000, '";,='])
def test_any_other_header_value_is_fine(value: str) -> None:
    """RFC 9110 section 5.5."""
    assert read_verdict({"allowed": True, "headers": {"X-A": value}}).headers == (("x-a", value),)


@given(st.text(), st.text())
def test_no_header_that_passes_can_end_early(key: str, value: str) -> None:
    """For any name and value."""
    try:
        headers = read_verdict({"allowed": True, "headers": {key: value}}).headers
    except PolicyFailed:
        return
    ((name, text),) = headers
    assert name
    assert not set(name + text) & {"\r", "\n", "\x00"}
    assert name.isascii()
    assert not set(name[1:]) & set(": \t")
    assert text == value


def test_the_statuses_are_those_that_envoy_can_answer_with() -> None:
    """Any other number is unknown to its enum."""
    assert set(StatusCode.values()) - {0} == STATUSES


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_each_of_them_may_be_chosen(status: int) -> None:
    """And is carried on as it is."""
    assert read_verdict({"allowed": False, "http_status": status}).http_status == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)


@given(
    JSON | st.dictionaries(st.sampled_from(["allowed", *WRONG]), JSON).map(lambda fields: {"allowed": True, **fields})
)
def test_any_value_is_a_verdict_or_an_error(value: Any) -> None:
    """And it allows only where it says so."""
    try:
        verdict = read_verdict(value)
    except PolicyFailed:
        return
    assert verdict.allowed is (value if isinstance(value, bool) else value["allowed"])


@pytest.mark.parametrize("value", [None, True, "allow", ["us_ssn"], {"us_ssn": "alow"}, {"request": "allow"}])
def test_what_is_said_of_findings_is_never_guessed_at(value: Any) -> None:
    """An outage rather than a leak; a denial does not use it."""
    with pytest.raises(PolicyFailed, match="`dlp`") as caught:
        read_verdict({"allowed": True, "dlp": value})
    assert "us_ssn" not in str(caught.value)
    assert read_verdict({"allowed": False, "dlp": value}).dlp is NO_OVERRIDES
