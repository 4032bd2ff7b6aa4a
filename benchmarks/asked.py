"""How long the API takes to answer while the worker is loaded at half of its maximum."""

from __future__ import annotations

import asyncio
import sys
from typing import ClassVar

import msgspec

from benchmarks.asker import Answered, Asking
from benchmarks.child import Child
from benchmarks.figures import Round
from benchmarks.latency import CUSTOMERS, WARM_UP, HalfLoad
from benchmarks.shop import ROOT, Shop

REQUESTS = 500.0
"""A second."""


class Asked(HalfLoad):
    """The load of `half-load`, and beside it 500 requests a second for random customers.

    Then once more with the same requests to a server beside the worker that answers all of them
    alike: what is late then is so for want of cores, not because of what the worker reads.
    """

    name = "api"
    what = f"the API's answers, {REQUESTS:g} requests/s, worker at half of its maximum"
    wanted: ClassVar[dict[str, str]] = {"answer p99 ms": "< 20", "failed": "= 0"}

    async def measure(self, number: int) -> Round:
        self._worker_is_asked = False
        elsewhere = await super().measure(2 * number)
        self._worker_is_asked = True
        found = await super().measure(2 * number + 1)
        return {**found, "change p99 ms, another asked": elsewhere["change p99 ms"]}

    async def _timed(self, shop: Shop, worker: Child, rate: float) -> Round:
        asking = asyncio.create_task(self._asked(shop))
        try:
            found = await super()._timed(shop, worker, rate)
            answered = await asking
        finally:
            asking.cancel()
        return {
            "answer p50 ms": answered.p50,
            "answer p99 ms": answered.p99,
            "answer greatest ms": answered.most,
            "answers/s": answered.answers / self.sizes.latency_seconds,
            "found": answered.found / answered.answers,
            "turned away/s": answered.turned_away / self.sizes.latency_seconds,
            "failed": answered.failed,
            "change p99 ms": found["p99 ms"],
            "cores used": found["cores used"],
        }

    async def _asked(self, shop: Shop) -> Answered:
        """Ask from the end of the warm-up to the end of the load."""
        while shop.metric("ladder_events_applied_total") == 0:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.5)
        await asyncio.sleep(WARM_UP)
        url = shop.settings.api_url if self._worker_is_asked else None
        asking = Asking(url, REQUESTS, self.sizes.latency_seconds, CUSTOMERS)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.asker", msgspec.json.encode(asking).decode(),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        return msgspec.json.decode(said, type=Answered)
