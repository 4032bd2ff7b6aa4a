"""Fetches Apache Kafka with Maven, once per machine and version."""

from __future__ import annotations

from pathlib import Path

from tests.fetched import fetched, run

HERE = Path(__file__).parent
POM = HERE / "pom.xml"


def libraries() -> Path:
    """The folder of Kafka's jars. Raises NotInstallable."""
    return fetched("kafka", ("java", "mvn"), [POM], _fetch)


def _fetch(folder: Path) -> None:
    run("mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies",
        f"-DoutputDirectory={folder}", cwd=HERE)  # fmt: skip
