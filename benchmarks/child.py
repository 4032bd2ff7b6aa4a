"""A program that is measured, as a child process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import psutil

from app.embedded.tether import Tethered


class Usage(NamedTuple):
    """Processor seconds so far, and bytes of memory now."""

    cpu: float
    rss: int


class ChildEnded(Exception):
    """The measured program ended too early; the end of its log is the message."""


def said(log: Path) -> str:
    """Quote the end of a log: its folder goes with the run."""
    try:
        return f"its log ends with\n{log.read_text(errors='replace')[-2000:]}"
    except OSError:
        return "it has no log"


class Child:
    """Runs while it is the context of a `with`."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = log
        self._running = Tethered(command, log, env=env)
        self.pid = self._running.pid
        self._process = psutil.Process(self.pid)

    def usage(self) -> Usage:
        """Look at it; raises ChildEnded."""
        if self._running.poll() is not None:
            raise ChildEnded(f"{self.name} ended: {said(self.log)}")
        with self._process.oneshot():
            times = self._process.cpu_times()
            return Usage(times.user + times.system, self._process.memory_info().rss)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.stop()


class Both:
    """Two children seen as one; their contexts are their own."""

    def __init__(self, one: Child, two: Child) -> None:
        self.name = f"{one.name}, two of them,"
        self.log = one.log
        self._children = (one, two)

    def usage(self) -> Usage:
        """Look at both; raises ChildEnded."""
        used = [child.usage() for child in self._children]
        return Usage(sum(each.cpu for each in used), sum(each.rss for each in used))
