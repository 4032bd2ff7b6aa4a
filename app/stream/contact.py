"""Whether Kafka answers: looked at once a second, and at once when a client complains."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import structlog
from aiokafka.structs import TopicPartition

from app.ops.outage import Outage

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
SILENT_SECONDS = 5.0
"""A fetch is answered within a moment; after so long it is time to ask in another way."""
PAUSE_SECONDS = 0.5
"""Between two looks, however often clients complain: a broker of several that is away is complained
about, too.
"""
SETTLING_SECONDS = 5.0
"""For the clients to find their brokers again once one answers; they go on complaining until
they have."""


class Absence:
    """Kafka is away, or not; the log is told when it begins and when it ends."""

    def __init__(
        self, brokers: str, outage: Outage, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._brokers = brokers
        self._outage = outage
        self._clock = clock
        self._since: float | None = None

    @property
    def seconds(self) -> float | None:
        """For how long it has been away; None while it is not."""
        return None if self._since is None else self._clock() - self._since

    def begins(self, error: str, ago: float = 0.0) -> None:
        """It answers no more, since so many seconds. To say so again changes nothing."""
        if self._since is None:
            self._since = self._clock() - ago
            log.warning(
                "waiting for Kafka", action="kafka-awaited", brokers=self._brokers, error=error
            )
        self._outage.settle(away=True)

    def ends(self) -> None:
        """It answers. To say so again changes nothing."""
        seconds, self._since = self.seconds, None
        if seconds is not None:
            log.info("Kafka answers again", action="kafka-back", seconds=round(seconds, 1))
        self._outage.settle(away=False)


class Contact:
    """silences: for how long nobody has answered for each topic partition that is asked for;
    heard: when somebody last did, in seconds since 1970; ask: why no broker answers, None if one
    does.
    """

    def __init__(
        self,
        absence: Absence,
        outage: Outage,
        *,
        silences: Callable[[], Mapping[TopicPartition, float]],
        heard: Callable[[], float | None],
        ask: Callable[[], Awaitable[str | None]],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._absence = absence
        self._outage = outage
        self._silences = silences
        self._heard = heard
        self._ask = ask
        self._clock = clock
        self._now = now
        self._began = 0.0
        """When Kafka was found to be away, in seconds since 1970."""
        self._answers_since: float | None = None
        self._complained = asyncio.Event()

    @property
    def away(self) -> float | None:
        """For how many seconds Kafka has been away; None while it is not."""
        return self._absence.seconds

    def silent(self) -> Mapping[TopicPartition, float]:
        """Of what has no answer for long, for how many seconds."""
        return {tp: age for tp, age in self._silences().items() if age > SILENT_SECONDS}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()

        def complained() -> None:
            loop.call_soon_threadsafe(self._complained.set)

        self._outage.watch(complained)
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._complained.wait(), LOOK_SECONDS)
                await self.look(self._complained.is_set())
                self._complained.clear()  # what was said meanwhile is about what was asked, too
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._outage.watch(None)

    async def look(self, complained: bool = False) -> None:
        """Find out, and let go of the lines that were held meanwhile."""
        if self.away is not None:
            if await self._is_back():
                self._absence.ends()
            else:
                self._outage.settle(away=True)
            return
        began = self._now()
        error = await self._ask() if complained or self._silence() > SILENT_SECONDS else None
        if error is None or self._heard_since(began):
            self._outage.settle(away=False)
        else:
            self._began, self._answers_since = self._now(), None
            self._absence.begins(error, self._silence())

    def _silence(self) -> float:
        """For how many seconds nothing that is asked for was answered; 0 if nothing is."""
        return min(self._silences().values(), default=0.0)

    async def _is_back(self) -> bool:
        """It is when a fetch was answered; or, where nothing is fetched, when any answer comes."""
        if self._heard_since(self._began):
            return True
        if await self._ask() is not None:
            self._answers_since = None
            return False
        if self._answers_since is None:
            self._answers_since = self._clock()
        return self._clock() - self._answers_since >= SETTLING_SECONDS

    def _heard_since(self, moment: float) -> bool:
        heard = self._heard()
        return heard is not None and heard > moment
