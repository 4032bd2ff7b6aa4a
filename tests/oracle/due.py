"""When the clock alone may change something for one customer (contract section 5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from .ladders import named_facts
from .reading import Settings
from .record import Record


class Due:
    """The due instants of one customer, found anew each time they are asked for."""

    def __init__(self, settings: Settings) -> None:
        self.ladders, self.days = settings.ladders, settings.days
        self.windows = {f.args[-1] for f in named_facts(settings.ladders) if f.args}

    def ends(self, record: Record) -> list[int]:
        """The ends of this customer's graces and placements."""
        found: list[int] = []
        for ladder in self.ladders:
            stand = record.stands[ladder.id]
            if stand.grace is not None:
                found.append(stand.grace + ladder.grace)
            if stand.placed is not None and stand.placed[1] is not None:
                found.append(stand.placed[1])
        return found

    def drops(self, record: Record, after: int) -> list[int]:
        """The day boundaries to come at which something leaves a window, in order."""
        today = self.days.today(after)
        days = {day + window for day in record.dates() for window in self.windows}
        return sorted({self.days.start_of(day) for day in days if day > today})

    def instants(self, record: Record, after: int) -> Iterator[int]:
        """Each due instant in turn; the caller evaluates it before it asks for the next one."""
        drops = deque(self.drops(record, after))
        while True:
            soon = [at for at in [*islice(drops, 1), *self.ends(record)] if at > after]
            if not soon:
                return
            after = min(soon)
            yield after
            while drops and drops[0] <= after:
                drops.popleft()
