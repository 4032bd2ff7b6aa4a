"""Fetches the official AsyncAPI validator with npm, once per machine and version."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.kafka.install import cache

HERE = Path(__file__).parent
FILES = ("package.json", "package-lock.json", "validate.js")


class ValidatorNotInstallable(Exception):
    """Node or npm is missing, or npm could not fetch the validator."""


def validator() -> Path:
    """The script that `node` runs, beside what it imports; fetched if it is not there."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        raise ValidatorNotInstallable(f"the AsyncAPI validator needs {' and '.join(missing)}")
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()[:12]
    target = cache() / f"asyncapi-{digest}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (cache() / "asyncapi.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _fetch(target)
    return target / "validate.js"


def _fetch(target: Path) -> None:
    """Into a folder beside the target and then renamed: a fetch cut short leaves no half of it."""
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name in FILES:
        shutil.copy(HERE / name, partial)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=partial,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ValidatorNotInstallable(f"npm could not fetch it:\n{done.stderr[-2000:]}")
    partial.rename(target)
