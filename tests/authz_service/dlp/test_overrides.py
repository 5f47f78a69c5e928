"""What a policy may say of findings, and what becomes of it on the way to the bodies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.actions import NO_OVERRIDES, Action, Overrides
from authz_service.dlp.overrides import MAX_ENTITIES, OverridesError, read_overrides, to_metadata

ENTITIES = st.from_regex(r"\*|[a-z][a-z0-9_]{0,63}", fullmatch=True).filter(lambda name: name[:2] != "re")
ACTIONS = st.dictionaries(ENTITIES, st.sampled_from(Action), max_size=5)


def test_actions_by_entity_hold_in_both_directions() -> None:
    both = {"us_ssn": Action.ALLOW, "*": Action.MASK}
    assert read_overrides({"us_ssn": "allow", "*": "mask"}) == Overrides(both, both)


def test_actions_by_direction_hold_in_that_one() -> None:
    found = read_overrides({"request": {"us_ssn": "allow"}, "response": {"*": "block"}})
    assert found == Overrides({"us_ssn": Action.ALLOW}, {"*": Action.BLOCK})
    assert read_overrides({"response": {"iban": "hash"}}) == Overrides({}, {"iban": Action.HASH})


@pytest.mark.parametrize("value", [{}, {"request": {}}, {"request": {}, "response": {}}])
def test_an_empty_object_says_nothing(value: dict[str, Any]) -> None:
    assert not read_overrides(value)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 1, "allow", [], ["us_ssn"], {"us_ssn": None}, {"us_ssn": True}, {"us_ssn": "Allow"},
        {"us_ssn": "pass"}, {"us_ssn": ["allow"]}, {"US_SSN": "allow"}, {"": "allow"}, {"**": "allow"},
        {"us-ssn": "allow"}, {"a" * 65: "allow"}, {"us_ssn\n": "allow"}, {1: "allow"},
        {"request": "allow"}, {"request": {"us_ssn": "allow"}, "us_ssn": "mask"}, {"both": {"us_ssn": "allow"}},
        {"request": {"us_ssn": {}}}, {"request": {"us_ssn": "allow"}, "response": "block"}, {"request": {}, "x": {}},
        {f"e{number}": "allow" for number in range(MAX_ENTITIES + 1)},
    ],
    ids=lambda value: repr(value)[:60],
)  # fmt: skip
def test_what_is_neither_form_is_an_error_and_never_nothing(value: Any) -> None:
    """A mistake that was passed over would let something out."""
    with pytest.raises(OverridesError) as caught:
        read_overrides(value)
    assert "ssn" not in str(caught.value).lower()


@given(ACTIONS, ACTIONS)
def test_what_goes_out_as_metadata_is_read_back_as_it_was(
    request: dict[str, Action], response: dict[str, Action]
) -> None:
    """As plain texts."""
    overrides = Overrides(request, response)
    written = to_metadata(overrides)
    assert read_overrides(written) == overrides
    assert all(type(action) is str for actions in written.values() for action in actions.values())
    assert (not written) is (not overrides)
    assert to_metadata(NO_OVERRIDES) == {}
