"""Customers of this worker's partitions, as the API gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.api.customers import Elsewhere, NotReady
from app.core.customer import Moved, Slot
from app.core.explain import describe
from app.core.rules import Rules
from app.stream.keys import partition_of

LONGEST_CHAIN = 16
"""Merges that are followed from one id; the rules shorten chains themselves."""


class Lookup:
    """Implements `app.api.customers.Customers` over what was committed last.

    `local` gives the partition of a number or None; `url_of` who has a partition, if known.
    """

    def __init__(
        self,
        rules: Rules,
        partitions: int,
        local: Callable[[int], Any | None],
        url_of: Callable[[int], str | None],
    ) -> None:
        self._rules = rules
        self._partitions = partitions
        self._local = local
        self._url_of = url_of

    def view(self, customer: str) -> dict[str, object] | None:
        at = customer
        for _ in range(LONGEST_CHAIN):
            partition, slot = self._find(at)
            if slot is None or slot.record is None:
                return None
            if not isinstance(slot.record, Moved):
                return describe(self._rules, slot, customer, partition.clock(), partition.cutter)
            at = slot.record.into
        return None

    def _find(self, customer: str) -> tuple[Any, Slot | None]:
        number = partition_of(customer.encode(), self._partitions)
        partition = self._local(number)
        if partition is None:
            raise Elsewhere(number, self._url_of(number))
        if partition.state != "ready":
            raise NotReady(number)
        return partition, partition.slot(customer)
