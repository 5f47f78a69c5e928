"""`python -m authz_service policy …`, in this process and, for what only a process shows, as a user starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from authz_service.policy import input_keys
from tests.authz_service import commanding

ROOT = Path(__file__).parents[2]
SECONDS = 120


class Command:
    """Runs one command of `policy` from the root of the checkout."""

    def __init__(self, program: commanding.Command) -> None:
        self._program = program

    def __call__(self, *arguments: str, stdin: str = "") -> commanding.Done:
        """Run it."""
        return self._program("policy", *arguments, stdin=stdin)


@pytest.fixture
def run(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Command:
    monkeypatch.chdir(ROOT)
    return Command(commanding.Command(tmp_path_factory.mktemp("in"), monkeypatch, capfd))


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What comes of a command in a process of its own."""
    command = [sys.executable, "-m", "authz_service", "policy", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, cwd=ROOT)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with a policy that cannot be compiled."""
    (tmp_path / "a.rego").write_text("package a\n\nd := )\n")
    return tmp_path


def test_input_prints_every_key_or_one_whole_input_that_can_be_judged(run: Command) -> None:
    """The second is fit for `eval`."""
    done = run("input")
    assert (done.returncode, done.stdout) == (0, input_keys.table())
    whole = run("input", "--json").stdout
    assert json.loads(whole) == next(input_keys.examples())
    assert run("eval", "rego", "--input", "-", stdin=whole).returncode == 0


def test_check_says_that_all_is_well_or_what_is_at_fault_with_file_and_row(run: Command, broken: Path) -> None:
    """In text and in JSON."""
    done = run("check", "rego")
    assert (done.returncode, done.stdout[:13]) == (0, "ok: revision ")
    done = run("check", str(broken), "--decision", "a/d")
    assert done.returncode == 2
    assert f"{broken}/a.rego:3: is not Rego" in done.stderr
    done = run("check", str(broken), "--decision", "a/d", "--json")
    (fault,) = json.loads(done.stdout)["faults"]
    assert (done.returncode, fault["source"], fault["line"]) == (2, f"{broken}/a.rego", 3)


def test_eval_prints_the_decision_as_json(run: Command) -> None:
    """For an input from standard input."""
    done = run("eval", "rego", "--input", "-", stdin='{"method": "GET", "path": "/reports"}')
    assert (done.returncode, json.loads(done.stdout)["policy_id"]) == (0, "httpapi.authz/allow")


def test_eval_says_undefined_with_an_exit_code_of_its_own(tmp_path: Path) -> None:
    """Neither a decision nor a fault."""
    (tmp_path / "a.rego").write_text("package a\n\nd := 1 if input.x\n")
    done = started("eval", str(tmp_path), "--decision", "a/d")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "undefined\n")


def test_eval_explains_which_rules_held_and_which_failed(run: Command) -> None:
    """On standard error, so that the decision can be piped on."""
    done = run("eval", "rego", "--explain", "--input", "-", stdin='{"method": "GET", "path": "/hr/salaries"}')
    assert json.loads(done.stdout)["policy_id"] == "httpapi.authz/sensitive_path"
    assert "✗ httpapi.authz.allow   not at rego/httpapi/authz/authz.rego:10" in done.stderr
    assert "✓ httpapi.authz.sensitive_path" in done.stderr


@pytest.mark.parametrize("text", ["{", "", "NaN", '{"a": 1} x'])
def test_an_input_that_is_no_json_is_a_fault(run: Command, text: str) -> None:
    """With the argument's name."""
    done = run("eval", "rego", "--input", "-", stdin=text)
    assert done.returncode == 2
    assert done.stderr.startswith("--input: - is not JSON")


def test_test_runs_the_policies_tests_with_their_coverage(run: Command) -> None:
    """As `opa test --coverage` does."""
    done = run("test", "rego", "--coverage", "--threshold", "99")
    assert done.returncode == 0, done.stdout
    assert "tests pass" in done.stdout
    assert " %  rego/httpapi/authz/authz.rego" in done.stdout


def test_a_test_that_fails_is_shown_with_file_and_row(run: Command, tmp_path: Path) -> None:
    """And what it printed."""
    (tmp_path / "a.rego").write_text("package a\n\nd := 1\n")
    (tmp_path / "a_test.rego").write_text(
        "package a_test\n\nimport data.a\n\ntest_d if a.d == 2\n\ntest_e if a.d == 1\n"
    )
    done = run("test", str(tmp_path))
    assert done.returncode == 1
    assert f"FAIL {tmp_path}/a_test.rego:5: a_test/test_d" in done.stdout
    assert "1 of 2 tests pass" in done.stdout
    outcomes = json.loads(run("test", str(tmp_path), "--json").stdout)["outcomes"]
    assert [(each["rule"], each["passed"]) for each in outcomes] == [("a_test/test_d", False), ("a_test/test_e", True)]


def test_no_tests_at_all_are_no_success(run: Command, tmp_path: Path) -> None:
    """A wrong path must not look like a pass."""
    (tmp_path / "a.rego").write_text("package a\n\nd := 1\n")
    done = run("test", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "there are no tests\n")


def test_show_prints_python_that_names_the_rows_it_comes_from(run: Command) -> None:
    """The same each time, and in each process: Python hashes anew in each."""
    done = run("show", "rego")
    assert "# rego/httpapi/authz/authz.rego:9\n" in done.stdout
    compile(done.stdout, "shown", "exec")
    again = started("show", "rego")
    assert (again.returncode, again.stdout, again.stderr) == (0, done.stdout, "")


def test_bench_prints_percentiles(run: Command) -> None:
    """In microseconds."""
    done = run("bench", "rego", "--seconds", "0.05", "--json", "--input", "-", stdin='{"method": "GET", "path": "/"}')
    figures = json.loads(done.stdout)
    assert 0 < figures["p50_us"] <= figures["p90_us"] <= figures["p99_us"] <= figures["max_us"]
    assert figures["evaluations"] > 10


@pytest.mark.parametrize("pattern", ["(", "*", "a{99999999999}"])
def test_a_choice_of_tests_that_is_no_pattern_is_a_fault(run: Command, pattern: str) -> None:
    """Told before anything is compiled."""
    done = run("test", "rego", "--run", pattern)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("--run: is no regular expression: ")
    assert done.stderr.count("\n") == 1
