"""JSON logs, one line each."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit import logs

# Lone surrogates too: a file's name or a header may hold bytes that are not UTF-8.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level
    root.setLevel(level)


def formatted(message: str, fields: object = None, **attributes: Any) -> str:
    """Format one record, made at a fixed time."""
    record = logging.LogRecord("some.logger", logging.WARNING, "file.py", 1, message, None, None)
    record.created = 1_700_000_000.1236
    if fields is not None:
        record.fields = fields
    for name, value in attributes.items():
        setattr(record, name, value)
    return logs.JsonFormatter("authz").format(record)


def test_a_line_tells_time_level_service_logger_and_message() -> None:
    """The time is RFC 3339 in UTC, to the millisecond."""
    assert json.loads(formatted("hello")) == {
        "time": "2023-11-14T22:13:20.123+00:00",
        "level": "warning",
        "service": "authz",
        "logger": "some.logger",
        "message": "hello",
    }


def test_the_fields_follow_the_message() -> None:
    """What is not JSON is told as text, rather than losing the line."""
    line = json.loads(formatted("hello", {"count": 3, "path": Path("/a/b"), "none": None}))
    assert {name: line[name] for name in ("count", "path", "none")} == {"count": 3, "path": "/a/b", "none": None}


def test_fields_that_are_no_mapping_are_passed_over() -> None:
    """Another library may use the same attribute."""
    assert "count" not in json.loads(formatted("hello", ["count"]))


def test_an_exception_is_told_by_type_and_place_and_never_by_its_text() -> None:
    """Its text may hold a part of a request."""

    def deep() -> None:
        raise ValueError("the secret")

    with pytest.raises(ValueError, match="the secret") as raised:
        deep()
    text = formatted("failed", exc_info=(ValueError, raised.value, raised.tb))
    line = json.loads(text)
    assert line["error"] == "ValueError"
    assert line["place"] == f"{__file__}:{deep.__code__.co_firstlineno + 1}"
    assert "the secret" not in text


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    """There is no traceback to take it from."""
    line = json.loads(formatted("failed", exc_info=(ValueError, ValueError("the secret"), None)))
    assert (line["error"], "place" in line) == ("ValueError", False)


@given(ANY_TEXT, st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
def test_every_record_is_one_line_of_json_in_any_encoding(message: str, fields: dict[str, str]) -> None:
    """No text of a caller begins a line of its own, and none is lost because the stream cannot write it."""
    own = {name: value for name, value in fields.items() if name not in json.loads(formatted(""))}
    text = formatted(message, own)
    assert text.isascii()
    assert len(text.splitlines()) == 1
    line = json.loads(text)
    assert line["message"] == message
    assert {name: line[name] for name in own} == own


def test_set_up_sends_the_lines_of_every_logger_to_the_stream(root_logger: logging.Logger) -> None:
    """From the level on, and nowhere else."""
    stream = io.StringIO()
    root_logger.addHandler(logging.NullHandler())
    logs.set_up("authz", "info", stream)
    before = datetime.now(UTC)
    logging.getLogger("a.b").info("told %s", "once", extra={"fields": {"count": 1}})
    logging.getLogger("a.b").debug("not told")
    (text,) = stream.getvalue().splitlines()
    line = json.loads(text)
    assert (line["message"], line["level"], line["count"]) == ("told once", "info", 1)
    assert abs((datetime.fromisoformat(line["time"]) - before).total_seconds()) < 60
    assert len(root_logger.handlers) == 1


@pytest.mark.parametrize("level", logs.LEVELS)
def test_every_level_that_can_be_chosen_is_one_of_logging(level: str, root_logger: logging.Logger) -> None:
    """The environment offers these words."""
    logs.set_up("authz", level, io.StringIO())
    assert logging.getLevelName(root_logger.level) == level.upper()
