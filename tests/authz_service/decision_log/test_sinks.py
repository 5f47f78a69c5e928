"""Lines on standard error and in a file."""

from __future__ import annotations

import io
import json
import stat
import threading
from datetime import datetime
from pathlib import Path

import pytest

from authz_service.decision_log.shaping import Fate
from authz_service.decision_log.sinks import ConsoleSink, FileSink

LINES = [b'{"decision_id":"d-1"}', '{"decision_id":"zoë"}'.encode()]


def test_the_console_has_what_opas_console_has() -> None:
    """So that what tells its lines from others tells these."""
    stream = io.StringIO()
    assert ConsoleSink(stream).write(LINES) is Fate.WRITTEN
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["decision_id"] for event in events] == ["d-1", "zoë"]
    for event in events:
        assert (event["level"], event["msg"]) == ("info", "Decision Log")
        assert event["type"] == "openpolicyagent.org/decision_logs"
        assert datetime.fromisoformat(event["time"]).tzinfo is not None


def test_a_file_is_appended_to_and_is_for_the_services_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "decisions.jsonl"
    for _ in range(2):
        assert FileSink(file).write(LINES) is Fate.WRITTEN
    assert file.read_bytes() == b"".join(line + b"\n" for line in LINES) * 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    """As logrotate does it."""
    file = tmp_path / "decisions.jsonl"
    sink = FileSink(file)
    sink.write(LINES)
    file.rename(tmp_path / "decisions.jsonl.1")
    sink.write(LINES[:1])
    assert file.read_bytes() == LINES[0] + b"\n"


def test_lines_of_several_writers_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "decisions.jsonl"
    lines = [json.dumps({"text": str(number) * 3_000}).encode() for number in range(8)]
    threads = [threading.Thread(target=FileSink(file).write, args=([line] * 20,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(file.read_bytes().splitlines()) == sorted(lines * 20)


def test_a_file_that_cannot_be_written_is_an_error_of_the_system(tmp_path: Path) -> None:
    """Which the queue counts."""
    with pytest.raises(OSError, match="No such file"):
        FileSink(tmp_path / "absent" / "decisions.jsonl").write(LINES)
