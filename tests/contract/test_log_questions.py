"""What the pages ask the log for, it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.pages import PAGES, ROOT, blocks
from tests.contract.tools import tool

QUESTIONS = [
    line
    for page in PAGES
    for block in blocks(page)
    for line in block.text.splitlines()
    if "jq " in line and ".level" in line
]


def test_the_pages_show_how_to_read_the_log() -> None:
    assert len(QUESTIONS) == 2


@pytest.mark.parametrize("line", QUESTIONS)
def test_what_a_page_asks_for_finds_why_a_worker_did_not_start(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the form that the line itself asks for, and past a line of another program."""
    monkeypatch.chdir(tmp_path)
    jq = Path(tool("jq")).parent
    Path("ladder").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m app "$@"\n')
    Path("ladder").chmod(0o755)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "LADDER_CLOCK": "sundial"}
    env["PATH"] = f"{tmp_path}:{jq}:{env['PATH']}"
    with Path("worker.log").open("wb") as log:
        log.write(b"a line of another program\n")
        log.flush()
        in_json = {**env, "LADDER_LOG_FORMAT": "json"}
        subprocess.run(["./ladder", "worker"], stderr=log, check=False, env=in_json)
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert "LADDER_CLOCK must" in json.loads(done.stdout)["error"]
