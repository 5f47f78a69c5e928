"""One event of a stream → the values in it that go on with texts of earlier events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.deltas import USUAL_PATHS, DeltaPaths, PathError, agrees, steps_of

PATHS = DeltaPaths(USUAL_PATHS)


def found(value: Any) -> list[bytes]:
    """The values in an event."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return [data[delta.start : delta.end] for delta in PATHS.read(data).deltas]


def keys(*values: Any) -> list[Any]:
    """The text of the first value in each event."""
    return [PATHS.read(json.dumps(value).encode()).deltas[0].key for value in values]


def chat(text: str, **other: Any) -> dict[str, Any]:
    """A chunk of a chat completion, of one choice."""
    return {"id": "c", "choices": [{"delta": {"content": text}, **other}]}


@pytest.mark.parametrize(
    ("event", "values"),
    [
        (chat("a", index=0), [b"a"]),
        ({"choices": [{"index": 1, "delta": {"content": "a"}}, {"delta": {"refusal": "b"}}]}, [b"a", b"b"]),
        ({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"a'}}]}}]}, [b'{\\"a']),
        ({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}, [b"a"]),
        ({"delta": {"type": "input_json_delta", "partial_json": "12"}}, [b"12"]),
        ({"type": "response.output_text.delta", "item_id": "m", "delta": "a"}, [b"a"]),
        ({"candidates": [{"content": {"parts": [{"text": "a"}, {"text": "b"}]}}]}, [b"a", b"b"]),
        ({"delta": {"content": "a"}, "text": "b", "x": {"delta": "c"}, "choices": {"text": "d"}}, []),
        ({"delta": ""}, []), ({"delta": None}, []), ({"delta": 12}, []), ([{"delta": "a"}], []), ("delta", []),
        ({"a": [{"delta": "x"}, [], {}], "delta": "y"}, [b"y"]), ({"delta": 'a"b\\'}, [b'a\\"b\\\\']),
        (b'{"delta" : "a" ,"delta":"b"}', [b"a", b"b"]), (b'{"delta":"a', []), (b']}{"delta":"a"}', [b"a"]),
        (b'{"delta":"a"}\n{"delta":"b"}', [b"a", b"b"]), (b"", []), (b'{"delta"', []), (b'{,:"delta":"a"', [b"a"]),
    ],
)  # fmt: skip
def test_values_are_found_where_paths_lead(event: Any, values: list[bytes]) -> None:
    """And nowhere else, in what is JSON and in what is not."""
    assert found(event) == values


def test_values_of_one_text_have_one_key() -> None:
    """Whatever else is in their events, in whatever order."""
    one, other = keys(chat("a", index=0), {"choices": [{"delta": {"x": [1], "content": "b"}, "index": 0}], "id": "d"})
    assert one == other
    one, other = keys(
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "x", "function": {"arguments": "1"}}]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "2"}}]}}]},
    )
    assert one == other


@pytest.mark.parametrize(
    "events",
    [
        (chat("a", index=0), chat("a", index=1)),
        ({"delta": "a", "item_id": "x"}, {"delta": "a", "item_id": "y"}, {"delta": "a", "type": "t"}, {"delta": "a"}),
        ({"delta": "a", "output_index": 1}, {"delta": "a", "output_index": 2}, {"delta": "a", "content_index": 2}),
        ({"index": 1, "delta": {"text": "a"}}, {"index": 2, "delta": {"text": "a"}}, {"delta": {"text": "a"}}),
        ({"delta": {"text": "a"}}, {"delta": {"thinking": "a"}}),
        ({"delta": {"text": "a", "type": "x"}}, {"delta": {"text": "a", "type": "y"}}),
    ],
)
def test_values_of_several_texts_have_several(events: tuple[Any, ...]) -> None:
    """By what stands beside and around them."""
    assert len(set(keys(*events))) == len(events)


def test_items_of_a_list_are_told_apart_by_their_place_where_they_have_no_index() -> None:
    """And by their index where they have one."""
    event = PATHS.read(b'{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}')
    first, second = (delta.key for delta in event.deltas)
    assert first != second
    assert keys(chat("c")) == [first]
    swapped = PATHS.read(b'{"choices":[{"text":"a","index":1},{"index":0,"text":"b"}]}')
    apart = PATHS.read(b'{"choices":[{"text":"b","index":0},{"text":"a","index":1}]}')
    assert [delta.key for delta in swapped.deltas] == [delta.key for delta in reversed(apart.deltas)]
    items = DeltaPaths(["texts[*]", "lists[*][*].x"])
    assert len({delta.key for delta in items.read(b'{"texts":["a",{"b":"c"},"d"]}').deltas}) == 2
    assert len({delta.key for delta in items.read(b'{"lists":[[{"x":"a"},{"x":"b"}],[{"x":"c"}]]}').deltas}) == 3


@pytest.mark.parametrize(
    ("event", "ended"),
    [
        (b"[DONE]", [True, True]), (b" [DONE]\n", [True, True]), (b'["[DONE]"]', [False, False]),
        (b'{"type":"message_stop"}', [True, True]), (b'{"type":"response.completed"}', [True, True]),
        (b'{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}', [False, True]),
        (b'{"choices":[{"finish_reason":"length","index":0}]}', [True, False]),
        (b'{"choices":[{"index":0,"finish_reason":null},{"index":1,"finish_reason":""}]}', [False, False]),
        (b'{"type":"ping"}', [False, False]), (b'{"type":"stopping"}', [False, False]),
        (b'{"done":false}', [False, False]),
        (b'{"done":true}', [True, True]), (b'{"type":"text-end","id":"2"}', [True, True]), (b"null", [False, False]),
    ],
)  # fmt: skip
def test_texts_end_where_an_event_says_so(event: bytes, ended: list[bool]) -> None:
    """Those that it is about."""
    texts = keys(chat("a", index=0), chat("a", index=1))
    ends = PATHS.read(event).ends
    assert [any(agrees(key, end) for end in ends) for key in texts] == ended


def test_an_end_beside_a_value_is_of_its_text() -> None:
    """The one that has its index, or its id."""
    one, other = keys({"index": 0, "delta": {"text": "a"}}, {"index": 1, "delta": {"text": "a"}})
    (end,) = PATHS.read(b'{"type":"content_block_stop","index":1}').ends
    assert (agrees(one, end), agrees(other, end)) == (False, True)
    one, other = keys({"type": "text-delta", "id": "1", "delta": "a"}, {"type": "text-delta", "id": "2", "delta": "a"})
    (end,) = PATHS.read(b'{"type":"text-end","id":"2"}').ends
    assert (agrees(one, end), agrees(other, end)) == (False, True)


@given(st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["delta", "text", "choices", "index", "type", "content"]), inner, max_size=4),
))  # fmt: skip
def test_what_is_found_is_what_a_parser_finds(value: Any) -> None:
    """In any JSON."""
    expected: list[str] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "delta" and isinstance(inner, str):
                expected.append(inner)
            if name == "delta" and isinstance(inner, dict) and isinstance(inner.get("text"), str):
                expected.append(inner["text"])
            if name == "choices" and isinstance(inner, list):
                for item in inner:
                    for key, one in item.items() if isinstance(item, dict) else ():
                        if key == "text" and isinstance(one, str):
                            expected.append(one)
                        if key == "delta" and isinstance(one, dict) and isinstance(one.get("content"), str):
                            expected.append(one["content"])
    assert [json.loads(b'"%s"' % each) for each in found(value)] == [each for each in expected if each]


@given(st.lists(st.sampled_from([b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b'"delta"', b'"text"', b"1", b"x"])))
def test_anything_is_read(tokens: list[bytes]) -> None:
    """And what is found is between quotes."""
    data = b"".join(tokens)
    for delta in PATHS.read(data).deltas:
        assert data[delta.start - 1 : delta.start] == data[delta.end : delta.end + 1] == b'"'
        assert PATHS.concerns(data)


@pytest.mark.parametrize(
    "path", ["", "$", "a.", ".a", "a[0]", "a[*", "[*]", "a b", "a..b", "a" * 257, ".".join("a" * 17), "é"]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    """By one error."""
    with pytest.raises(PathError):
        DeltaPaths([path])


def test_the_usual_paths_are_paths() -> None:
    """Each of names, and of lists whose items they lead through."""
    assert steps_of("a.b[*].c") == [b"a", b"b", None, b"c"]
    assert all(steps_of(path) for path in USUAL_PATHS)
