"""`python -m devstack` itself: what it writes down, and that it leaves nothing behind however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import jwt
import pytest

from devstack import demo
from devstack import state as states
from devstack.__main__ import arguments_of
from tests.e2e.stack import REPOSITORY, Gateway, running

pytestmark = pytest.mark.e2e


def _devstack(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "devstack", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _running_with(text: str) -> list[str]:
    """The command lines that name a folder."""
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if text in line]


class TestState:
    def test_it_holds_what_a_script_needs(self, gateway: Gateway) -> None:
        state = gateway.state
        assert Path(state.ca_file).is_file()
        assert set(state.agents) == {"hr", "dev", "intern"}
        for url in (state.upstream_url, f"{state.issuer_url}/jwks", state.envoy_admin_url):
            assert httpx.get(url).status_code == 200
        assert set(state.pids) == {"devstack", "envoy", "authz_service", "ratelimit_service", "valkey"}
        assert all(_is_alive(pid) for pid in state.pids.values())

    def test_each_sample_agents_token_says_its_claims(self, gateway: Gateway) -> None:
        for agent in gateway.state.agents.values():
            assert jwt.decode(agent.token, options={"verify_signature": False}) == agent.claims
        assert gateway.state.agents["hr"].claims["roles"] == ["hr_access"]

    def test_only_its_owner_can_read_it(self, gateway: Gateway) -> None:
        file = Path(gateway.state.ca_file).parent.parent / "state.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


class TestDemo:
    def test_every_sample_request_ends_as_it_should(self, gateway: Gateway) -> None:
        folder = Path(gateway.state.ca_file).parent.parent
        done = _devstack("demo", "--dir", str(folder))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "saw GET /search?page=2&q=%5BREDACTED%3Aus_ssn%5D" in done.stdout
        assert "answer     429" in done.stdout

    def test_a_script_gets_the_same_as_json(self, gateway: Gateway) -> None:
        done = _devstack("demo", "--json", "--dir", str(Path(gateway.state.ca_file).parent.parent))
        outcomes = json.loads(done.stdout)
        assert [outcome["title"] for outcome in outcomes] == [sample.title for sample in demo.SAMPLES]
        assert all(outcome["status"] == outcome["expected"] for outcome in outcomes)
        assert {"request", "decision", "upstream"} <= outcomes[0].keys()

    def test_without_a_gateway_it_says_how_to_start_one(self, tmp_path: Path) -> None:
        done = _devstack("demo", "--dir", str(tmp_path))
        assert done.returncode == 1
        assert "make run" in done.stderr

    @pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (Debian: apt-get install curl)")
    def test_the_printed_lines_work_when_pasted(self, gateway: Gateway) -> None:
        for sample, (_, line) in zip(demo.SAMPLES, demo.curl_lines(gateway.state), strict=True):
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=True)
            assert done.stdout.rstrip().endswith(str(sample.expected)), (sample.title, done.stdout)


class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_ends_everything_and_leaves_nothing_behind(self, tmp_path: Path, number: signal.Signals) -> None:
        folder = tmp_path / "stack"
        with running(folder) as gateway:
            pids = gateway.state.pids
            gateway.process.send_signal(number)
            assert gateway.process.wait(30) == 0
        assert not folder.exists()
        assert not [name for name, pid in pids.items() if name != "devstack" and _is_alive(pid)]

    @pytest.mark.parametrize("lines", [1, 3])
    def test_when_nobody_reads_what_it_prints_everything_ends(self, tmp_path: Path, lines: int) -> None:
        folder = tmp_path / "stack"
        command = [sys.executable, "-m", "devstack", "--ports", "auto", "--dir", str(folder)]
        with subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            read = [process.stdout.readline() for _ in range(lines)]
            assert read[0] == "Starting Agent Gateway\n"
            process.stdout.close()
            assert process.wait(60) == 0
            assert process.stderr.read() == ""
        assert not folder.exists()
        assert not _running_with(str(folder))

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows a process's environment")
    def test_what_a_part_writes_for_the_moment_lies_below_the_stacks_folder(self, gateway: Gateway) -> None:
        folder = Path(gateway.state.ca_file).parent.parent
        for name in ("authz_service", "ratelimit_service"):  # the others write over what Linux shows
            environment = Path(f"/proc/{gateway.state.pids[name]}/environ").read_text()
            assert f"TMPDIR={folder / 'tmp'}" in environment.split("\0")

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
    def test_even_sigkill_leaves_no_process_behind(self, tmp_path: Path) -> None:
        with running(tmp_path / "stack") as gateway:
            gateway.process.kill()
            gateway.process.wait(30)
            deadline = time.monotonic() + 10
            while any(_is_alive(pid) for name, pid in gateway.state.pids.items() if name != "devstack"):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert states.read(tmp_path / "stack") is None

    @pytest.mark.parametrize("part", ["envoy", "authz_service", "ratelimit_service", "valkey"])
    def test_when_one_part_ends_it_says_which_and_why_and_stops_the_rest(self, tmp_path: Path, part: str) -> None:
        folder = tmp_path / "stack"
        with running(folder) as gateway:
            pids = gateway.state.pids
            gateway.kill(part)
            assert gateway.process.wait(30) == 1
        said = (tmp_path / "stack.out").read_text()
        assert f"{part} was ended by SIGKILL" in said
        assert "The logs are kept in" in said
        assert (folder / "logs" / "audit.jsonl").is_file()
        assert not (folder / "tls").exists()  # keys
        assert not [name for name, pid in pids.items() if name != "devstack" and _is_alive(pid)]
        assert states.read(folder) is None

    def test_a_second_start_in_the_same_folder_is_refused(self, gateway: Gateway) -> None:
        folder = Path(gateway.state.ca_file).parent.parent
        done = _devstack("--ports", "auto", "--dir", str(folder))
        assert done.returncode == 1
        assert f"process {gateway.state.pids['devstack']}" in done.stderr
        assert gateway.send("/still-there", gateway.token()).status == 200

    def test_a_taken_port_is_named_with_the_way_out(self, tmp_path: Path) -> None:
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):  # where somebody else has it already, that serves as well
                taken.bind(("127.0.0.1", 9901))
                taken.listen()
            done = _devstack("--dir", str(tmp_path / "stack"))
        assert done.returncode == 1
        assert "9901 (envoy_admin)" in done.stderr
        assert "--ports auto" in done.stderr

    def test_a_policy_that_cannot_be_used_is_told_of_and_nothing_stays(self, tmp_path: Path) -> None:
        policies = tmp_path / "rego"
        policies.mkdir()
        (policies / "main.rego").write_text("package agent_gateway\n\ndecision := {\n")
        started = time.monotonic()
        done = _devstack("--ports", "auto", "--dir", str(tmp_path / "stack"), "--policies", str(policies))
        assert done.returncode == 1
        assert time.monotonic() - started < 60
        assert f"{policies / 'main.rego'}:3:" in done.stderr
        assert "authz_service ended with exit code 1" in done.stderr


def test_the_state_of_a_stack_that_is_gone_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps({"pids": {"devstack": 2**22 + 1}}))
    assert states.read(tmp_path) is None


@pytest.mark.parametrize("words", [["demo", "--ports", "auto"], ["up", "--json"], ["--json"], ["deom"]])
def test_an_option_of_the_other_command_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments_of(words)
    assert ended.value.code == 2
    assert next(word for word in words if word not in {"demo", "up"}) in capsys.readouterr().err


def test_options_alone_are_those_of_up() -> None:
    assert arguments_of([]).command == "up"
    assert arguments_of(["--ports", "auto"]) == arguments_of(["up", "--ports", "auto"])
    assert arguments_of(["demo", "--dir", "x"]).dir == Path("x")
