"""Says that history arrives as if it were live: its moves would be acted on months too late."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from app.core.events import Event
from app.core.instants import DAY
from app.stream.items import Item

log = structlog.get_logger(__name__)

OLD_DAYS = 60
"""Longer than input topics are kept by default: no outage makes events so late."""


class OldInput:
    """Looks at the batches of one partition; warns once.

    quiet_before: an instant in µs, before which changes are quiet anyway. Under the event clock
    history is what is expected, and nothing is said.
    """

    def __init__(self, partition: int, quiet_before: int, *, event_clock: bool) -> None:
        self._partition = partition
        self._quiet_before = quiet_before
        self._silent = event_clock

    def look(self, items: Sequence[Item], now: int) -> None:
        """Look at a batch, the oldest first, at an instant of the wall clock."""
        if self._silent:
            return
        oldest = next((item.what.time for item in items if isinstance(item.what, Event)), now)
        age = (now - oldest) // DAY
        if age > OLD_DAYS and oldest >= self._quiet_before:
            self._silent = True
            log.warning(
                "events are months old, and readers will act on what they cause: for history set "
                "LADDER_QUIET_BEFORE and LADDER_CLOCK=event (docs/operating.md, Going live)",
                action="old-input-taken",
                partition=self._partition,
                days=age,
            )
