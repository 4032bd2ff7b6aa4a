"""The newest stage changes, for whoever begins to look: none of who has left the ladder since.

Who is erased leaves every ladder, or has left it before: either way the last change there says so.
So, without asking anybody, nobody is told later of somebody who was erased.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

RECENT = 50
"""Changes that whoever begins to look is shown at once; of one ladder as many of that one."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A stage change as it is shown: on which ladder, of whom, and whether it leaves the ladder.

    `place` is the partition of a topic in which it lies.
    """

    ladder: str
    customer: str
    leaves: bool
    value: bytes
    place: tuple[str, int]


class Recent:
    """The newest of each ladder, and of all."""

    def __init__(self) -> None:
        self._of: dict[str | None, deque[Seen]] = {}

    def add(self, changes: Iterable[Seen]) -> None:
        """Take changes in the order in which they were written."""
        for change in changes:
            if change.leaves:
                self._forget(partial(_same, change))
                continue
            for key in (None, change.ladder):
                self._of.setdefault(key, deque(maxlen=RECENT)).append(change)

    def pass_by(self, place: tuple[str, int]) -> None:
        """Some that followed were left out: whoever is in it from there may have left since."""
        self._forget(lambda one: one.place == place)

    def _forget(self, gone: Callable[[Seen], bool]) -> None:
        for key, kept in self._of.items():
            self._of[key] = deque((one for one in kept if not gone(one)), maxlen=RECENT)

    def of(self, ladder: str | None) -> tuple[Seen, ...]:
        """Return the newest of a ladder, or of all."""
        return tuple(self._of.get(ladder, ()))

    def clear(self) -> None:
        self._of.clear()


def _same(one: Seen, other: Seen) -> bool:
    return (one.ladder, one.customer) == (other.ladder, other.customer)
