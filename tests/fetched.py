"""What tests need beside the virtual environment: fetched once per machine and version."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path


class NotInstallable(Exception):
    """A tool is missing, or could not fetch what was asked of it."""


def cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "loyalty-ladder"


def fetched(
    kind: str, tools: Sequence[str], sources: Sequence[Path], fetch: Callable[[Path], None]
) -> Path:
    """The folder that `fetch` filled; the sources decide which. Safe to call from many processes.

    `fetch` gets a folder beside it that is renamed afterwards: a fetch cut short leaves no half.
    Raises NotInstallable.
    """
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise NotInstallable(f"{kind} needs {' and '.join(missing)} on the PATH")
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    target = cache() / f"{kind}-{digest}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (cache() / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            partial = target.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            fetch(partial)
            partial.rename(target)
    return target


def run(*command: str, cwd: Path) -> None:
    """Run a fetching program. Raises NotInstallable with the end of what it said."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-2000:]
        raise NotInstallable(f"{command[0]} could not fetch it:\n{said}")
