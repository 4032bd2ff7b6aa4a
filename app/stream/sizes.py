"""How large a batch each topic takes: as the cluster said at the start, or as it was found out.

What a cluster does not say, or what an operator changes while a worker runs, a broker says by
refusing. Then the next try has to be another one, or it would be refused for ever.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.stream.topics import LARGEST_OUTPUT

BATCH_BYTES = 1_000_000
"""Of several records in one batch; brokers take 1,048,588 by default."""


class Sizes:
    """Shared by all partitions of a process; topics that nothing is known of are as declared."""

    def __init__(self, told: Mapping[str, int] | None = None) -> None:
        self._largest = dict(told or {})
        self._filled: dict[str, int] = {}

    def largest(self, topic: str) -> int:
        """Return how many bytes a batch may have that cannot be divided."""
        return self._largest.get(topic, LARGEST_OUTPUT)

    def filled(self, topic: str) -> int:
        """Return up to how many bytes records are put together in a batch."""
        return min(self._filled.get(topic, BATCH_BYTES), self.largest(topic))

    def refused(self, topic: str, size: int, records: int) -> None:
        """Take notice of a batch that was too large."""
        if records > 1:
            self._filled[topic] = min(size, self.filled(topic)) // 2
        else:
            self._largest[topic] = min(size, self.largest(topic)) - 1
