"""Header values of a word and parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.bodies.media_type import MAX_PARAMETERS, MAX_VALUE_BYTES, ParameterizedError, parse


@pytest.mark.parametrize(
    ("value", "word", "parameters"),
    [
        ("application/json", "application/json", {}),
        (" Application/JSON ; Charset=UTF-8", "application/json", {"charset": "UTF-8"}),
        ('multipart/form-data; boundary="a b;c"', "multipart/form-data", {"boundary": "a b;c"}),
        ('form-data; name="a\\"b"; filename=x', "form-data", {"name": 'a"b', "filename": "x"}),
        ("text/plain;", "text/plain", {}),
        ("text/plain;;a=1;", "text/plain", {"a": "1"}),
        ('form-data; name="a\\\\"', "form-data", {"name": "a\\"}),
        ('form-data; filename="C:\\d"', "form-data", {"filename": "C:d"}),
        ("form-data; filename*=utf-8''x", "form-data", {"filename*": "utf-8''x"}),
        ('form-data; name=""', "form-data", {"name": ""}),
        ('form-data; name="ü"', "form-data", {"name": "ü"}),
    ],
)
def test_words_and_names_are_lower_case_and_values_as_they_are(
    value: str, word: str, parameters: dict[str, str]
) -> None:
    found = parse(value)
    assert (found.word, found.parameters) == (word, parameters)


@pytest.mark.parametrize(
    "value",
    ["", " ", ";a=1", "application/json, text/plain", "application/json,application/json", "a/b/c", "a b", "a/b; c",
     "a/b; c=", "a/b; c=d e", 'a/b; c="d', "a/b; c=d; C=e", "a/b\r\n", 'a/b; c="\x00"', "ä/b", "a/b; =c", "a/",
     "a/b; boundary*=utf-8''c", "a/b; boundary*0=c", "a/b; boundary=c; boundary*0=d",
     'a/b; c="d\\e"', 'a/b; c="\\\\\\;"',
     "a/b; filename*0=c"],
)  # fmt: skip
def test_what_readers_could_differ_about_is_an_error(value: str) -> None:
    with pytest.raises(ParameterizedError):
        parse(value)


def test_length_and_parameters_are_bounded() -> None:
    parse("a/b" + "".join(f"; p{number}=1" for number in range(MAX_PARAMETERS)))
    for value in (
        "a/b" + "".join(f"; p{number}=1" for number in range(MAX_PARAMETERS + 1)),
        "a" * MAX_VALUE_BYTES + "a",
    ):
        with pytest.raises(ParameterizedError):
            parse(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("application/json", True), ("application/merge-patch+json", True), ("APPLICATION/VND.API+JSON; q=1", True),
        ("application/jsonp", False), ("text/plain; a=application/json", False), ("x-application/json", False),
        ("application/json-seq", False),
    ],
)  # fmt: skip
def test_json_is_told_by_the_whole_type_or_its_suffix(value: str, expected: bool) -> None:  # noqa: FBT001  (the table's)
    assert parse(value).is_json is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("text/plain", True), ("text/plain; charset=UTF8", True), ("text/plain; charset=us-ascii", True),
     ("text/plain; charset=utf-16", False), ("text/plain; charset=iso-8859-1", False), ('a/b; charset=""', False)],
)  # fmt: skip
def test_only_utf_8_and_what_is_part_of_it_are_told_to_be(value: str, expected: bool) -> None:  # noqa: FBT001  (the table's)
    assert parse(value).is_utf_8 is expected


@given(st.text(max_size=30) | st.from_regex(r"[a-z/+]{1,9}(; ?[a-z]{1,3}=([a-z]{1,3}|\"[^\"]*\")){0,3}"))
def test_any_text_is_a_value_or_an_error(value: str) -> None:
    try:
        found = parse(value)
    except ParameterizedError:
        return
    assert found.word == found.word.lower() != ""
    assert all(name == name.lower() != "" for name in found.parameters)
