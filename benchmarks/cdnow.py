"""`ladder backtest` of CDNOW, from the command to its end, on one core."""

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
from app.embedded.demo_purchases import CURRENCY, Purchase, read_purchases
from benchmarks.case import Case
from benchmarks.figures import Round
from benchmarks.shop import ROOT

RATES = ROOT / "app" / "embedded" / "data" / "rates.csv"


class Cdnow(Case):
    """Real purchases, ten ladders, every stage change written to a file."""

    name = "backtest"
    what = "ladder backtest of CDNOW, ten ladders, --changes, one core"
    wanted: ClassVar[dict[str, str]] = {"events/s": "≥ 15,000"}

    async def prepare(self) -> None:
        until = (parse_instant(f"{self.sizes.bought_until}T00:00:00Z") or 0) // SECOND
        bought = [purchase for purchase in read_purchases() if purchase.time < until]
        self._events = self.place.folder / "cdnow.ndjson"
        self._events.write_text("".join(map(_line, bought)))
        self._count = len(bought)
        self._none = self.place.folder / "none.ndjson"
        self._none.write_text("")

    async def measure(self, number: int) -> Round:
        return await asyncio.to_thread(self._measure)

    def _measure(self) -> Round:
        idle, _, _ = self._run(self._none)
        took, cpu, rss = self._run(self._events)
        return {
            "events/s": self._count / took,
            "events/s after start-up": self._count / (took - idle),
            "start-up s": idle,
            "CPU s per million": cpu / self._count * 1e6,
            "RSS MB": rss / 1e6,
            "stage changes per event": _lines(self.place.folder / "changes.ndjson") / self._count,
        }

    def _run(self, events: Path) -> tuple[float, float, float]:
        """Run the command; gives seconds, processor seconds and bytes of memory."""
        command = [
            sys.executable, "-m", "app", "backtest", str(events),
            "--changes", str(self.place.folder / "changes.ndjson"),
        ]  # fmt: skip
        env = {**os.environ, "PYTHONPATH": str(ROOT), "LADDER_RATES": str(RATES)}
        began = time.monotonic()
        with _one_core():
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


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep this thread, and the child that it starts, on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
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
