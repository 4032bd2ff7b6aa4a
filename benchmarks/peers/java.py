"""Builds the program on Kafka Streams with Maven, once per machine and version of it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.fetched import fetched, run

PROJECT = Path(__file__).parent / "kafka-streams"


def class_path() -> str:
    """Give the class path of the program. Raises NotInstallable, or what Maven said."""
    files = sorted(file for file in PROJECT.rglob("*.*") if file.is_file())
    folder = fetched("kafka-streams", ("java", "javac", "mvn"), files, _build)
    return str(folder / "*")


def _build(folder: Path) -> None:
    work = folder.with_suffix(".work")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(PROJECT, work)
    run("mvn", "-q", "-B", "-f", str(work / "pom.xml"), "package",
        "dependency:copy-dependencies", f"-DoutputDirectory={folder}", cwd=work)  # fmt: skip
    shutil.copy2(work / "target" / "peer.jar", folder)
    shutil.rmtree(work)


def version_in(pom: Path) -> str:
    """Give the version of the first dependency of a Maven project."""
    found = re.search(r"<version>(\d+\.\d+\.\d+)</version>", pom.read_text().partition("depend")[2])
    return found[1] if found else "?"
