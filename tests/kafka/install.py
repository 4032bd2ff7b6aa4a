"""Fetches Apache Kafka with Maven, once per machine and version."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
POM = HERE / "pom.xml"


class KafkaNotInstallable(Exception):
    """Java or Maven is missing, or Maven could not fetch Kafka."""


def cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "loyalty-ladder"


def libraries() -> Path:
    """The folder of Kafka's jars, fetched if it is not there. Safe to call from many processes."""
    missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    if missing:
        raise KafkaNotInstallable(f"Apache Kafka needs {' and '.join(missing)} on the PATH")
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    target = cache() / f"kafka-{digest}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with (cache() / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _fetch(target)
    return target


def _fetch(target: Path) -> None:
    """Into a folder beside the target and then renamed: a fetch cut short leaves no half of it."""
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    done = subprocess.run(
        ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies",
         f"-DoutputDirectory={partial}"],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0 or not partial.is_dir():
        raise KafkaNotInstallable(f"mvn could not fetch Apache Kafka:\n{done.stdout[-2000:]}")
    partial.rename(target)
