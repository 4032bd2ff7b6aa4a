"""The one way back after a failure: let go of everything, and take over from what was committed."""

import asyncio
from itertools import chain, repeat

import structlog
from aiokafka.errors import KafkaError

from app.stream.faults import FaultInjected
from app.stream.hold import Hold
from app.stream.offsets import Positions
from app.stream.seam import Host
from app.stream.transaction import CommitFailed

log = structlog.get_logger(__name__)

MAY_PASS = (KafkaError, OSError, TimeoutError)
"""Failures that may go by themselves."""
_DELAYS = (0.0, 0.2, 1.0, 2.0, 5.0)
_AFTER_SILENCE = (3.0, 5.0)
"""Seconds before a reopening. A worker that was paused finds that time has run out; until its
group has told it that it lost its partitions, it must not take them back from their new owner."""


async def reopened(
    number: int, hold: Hold, host: Host, stopped: asyncio.Event, after: BaseException
) -> Positions | None:
    """Return where each source was sought, once it is open; None when it was stopped before.

    Raises LadderError for what an operator has to mend. Whatever may pass is tried for ever.
    """
    silent = isinstance(after, CommitFailed) and isinstance(after.cause, TimeoutError)
    delays = _AFTER_SILENCE if silent else _DELAYS
    for delay in chain(delays, repeat(delays[-1])):
        if stopped.is_set():
            break
        await asyncio.sleep(delay)
        try:
            await hold.let_go()
            positions = await hold.take()
            if stopped.is_set():
                break
            await host.seek(positions)
        except (*MAY_PASS, FaultInjected) as error:
            log.warning(
                "partition not open yet",
                action="partition-open-retried",
                partition=number,
                error=repr(error),
            )
        else:
            return positions
    return None
