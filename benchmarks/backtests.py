"""`ladder backtest` from the command to its end: CDNOW, and the demo's events of all kinds."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from app.core.instants import SECOND, format_instant, parse_instant
from app.embedded.demo_events import tell
from app.embedded.demo_purchases import CURRENCY, Purchase, read_purchases
from benchmarks.case import Case
from benchmarks.figures import Round
from benchmarks.shop import ROOT

CUSTOMERS = 8_000
"""Of the demo: some 33,000 events."""
RATES = ROOT / "app" / "embedded" / "data" / "rates.csv"


class Backtest(Case):
    """Ten ladders, every stage change written to a file, start-up included."""

    def lines(self) -> list[str]:
        """The events, one JSON a line with its end."""
        raise NotImplementedError

    async def prepare(self) -> None:
        lines = self.lines()
        self._events = self.place.folder / f"{self.name}.ndjson"
        self._events.write_text("".join(lines))
        self._count = len(lines)
        self._none = self.place.folder / "none.ndjson"
        self._none.write_text("")

    async def measure(self, number: int) -> Round:
        return await asyncio.to_thread(self._measure)

    def _measure(self) -> Round:
        idle, _, _ = self._run(self._none)
        took, cpu, rss = self._run(self._events)
        on_two, _, _ = self._run(self._events, cores=2)
        return {
            "events/s": self._count / took,
            "events/s on two cores": self._count / on_two,
            "events/s after start-up": self._count / (took - idle),
            "start-up s": idle,
            "CPU s per million": cpu / self._count * 1e6,
            "RSS MB": rss / 1e6,
            "events": self._count,
            "stage changes per event": _lines(self.place.folder / "changes.ndjson") / self._count,
        }

    def _run(self, events: Path, cores: int = 1) -> tuple[float, float, float]:
        """Run the command; gives seconds, processor seconds and bytes of memory."""
        command = [
            sys.executable, "-m", "app", "backtest", str(events),
            "--changes", str(self.place.folder / "changes.ndjson"),
        ]  # fmt: skip
        env = {**os.environ, "PYTHONPATH": str(ROOT), "LADDER_RATES": str(RATES)}
        began = time.monotonic()
        with _on(cores):
            child = subprocess.Popen(
                command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        _, status, used = os.wait4(child.pid, 0)
        took = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise RuntimeError(f"{' '.join(command)}: exit code {child.returncode}")
        unit = 1 if sys.platform == "darwin" else 1024
        return took, used.ru_utime + used.ru_stime, used.ru_maxrss * unit


class Cdnow(Backtest):
    """Real purchases."""

    name = "backtest"
    what = "ladder backtest of CDNOW, ten ladders, --changes, one core"
    wanted: ClassVar[dict[str, str]] = {
        "events/s": "≥ 40,000 (aim: 80,000)",
        "events/s on two cores": "≥ 60,000 (aim: 120,000)",
    }

    def lines(self) -> list[str]:
        until = (parse_instant(f"{self.sizes.bought_until}T00:00:00Z") or 0) // SECOND
        return [_line(purchase) for purchase in read_purchases() if purchase.time < until]


class MadeUp(Backtest):
    """The demo's events of all kinds."""

    name = "backtest-mixed"
    what = "ladder backtest of the demo's mixed events, --changes, one core, start-up included"
    wanted: ClassVar[dict[str, str]] = {"events/s": "≥ 25,000 (aim: 40,000)"}

    def lines(self) -> list[str]:
        return [f"{line.decode()}\n" for line in tell(CUSTOMERS).lines]


@contextmanager
def _on(cores: int) -> Iterator[None]:
    """Keep this thread, and the child that it starts, on so many cores, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:cores]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _lines(file: Path) -> int:
    with file.open("rb") as stream:
        return sum(1 for _ in stream)


def _line(purchase: Purchase) -> str:
    return (
        f'{{"specversion":"1.0","id":"{purchase.order_id}","source":"/shop/orders",'
        f'"type":"purchase.completed","subject":"{purchase.customer}",'
        f'"time":"{format_instant(purchase.time * SECOND)}","data":{{'
        f'"order_id":"{purchase.order_id}","amount":{purchase.cents},'
        f'"currency":"{CURRENCY}","units":{purchase.units}}}}}\n'
    )
