"""Apache Kafka for a run of benchmarks, in a folder of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.kafka.broker import Kafka


class Place(NamedTuple):
    """Where a run happens."""

    bootstrap: str
    folder: Path


@contextmanager
def broker() -> Iterator[Place]:
    """Start a broker; a process has its folder as the working one, so no .env is found."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="ladder-bench-") as name:
        folder = Path(name)
        kafka = Kafka(folder / "kafka", heap="1g").start()
        os.chdir(folder)
        try:
            yield Place(kafka.bootstrap, folder)
        finally:
            os.chdir(before)
            kafka.kill()
