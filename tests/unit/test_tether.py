"""A child of ours never outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from app.embedded.tether import Tethered

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)",
]


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def ignores_term(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(mask, 16) & 1 << signal.SIGTERM - 1)


def ended(pid: int) -> None:
    """Block until the process is gone; the run's own time limit is the only clock."""
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        os.sched_yield()


def test_what_the_child_prints_goes_to_the_log(tmp_path: Path) -> None:
    child = Tethered([sys.executable, "-c", "print('hello')"], tmp_path / "log")
    child.wait()
    assert (tmp_path / "log").read_text() == "hello\n"


def test_the_exit_code_of_the_child_is_handed_on(tmp_path: Path) -> None:
    child = Tethered([sys.executable, "-c", "raise SystemExit(7)"], tmp_path / "log")
    assert child.wait() == 7
    assert child.poll() == 7


def test_a_command_that_does_not_exist_is_an_error_that_names_the_log(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-command"):
        Tethered(["no-such-command"], tmp_path / "log")
    assert "no-such-command" in (tmp_path / "log").read_text()


def test_stop_asks_the_child_to_end(tmp_path: Path) -> None:
    child = Tethered(SLEEPER, tmp_path / "log")
    assert child.poll() is None
    assert child.stop() == 128 + signal.SIGTERM


@needs_proc
def test_a_child_that_ignores_the_request_is_ended_all_the_same(tmp_path: Path) -> None:
    child = Tethered(STUBBORN, tmp_path / "log", patience=0.1)
    while not ignores_term(child.pid):
        os.sched_yield()
    assert child.stop() == 128 + signal.SIGKILL


@needs_proc
def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                f"""
                import sys, time
                from pathlib import Path
                from app.embedded.tether import Tethered
                child = Tethered({SLEEPER!r}, Path({str(tmp_path / "log")!r}))
                print(child.pid, flush=True)
                time.sleep(600)
                """
            ),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    ended(pid)
