"""The stage changes of a batch, as they are to be written."""

from collections import Counter

from app.core.change import Change
from app.stream.meta import Moves
from app.stream.transaction import Headers, Out
from app.wire import stage_change

_HEADERS: Headers = list(stage_change.HEADERS)


class Said:
    """Changes as bytes by ladder, and how many moves of each kind they were.

    They are written as soon as they are found: what was just made is near at hand, and its bytes
    take half the room.
    """

    def __init__(self) -> None:
        self.by_ladder: dict[str, list[Out]] = {}
        self.moves: Moves = Counter()
        self.stays: list[tuple[str, str, int]] = []
        """Ladder, rung and seconds of the stays that ended."""

    def take_traced(self, changes: list[Change], trace: Headers) -> None:
        """Write changes, of which those that an event caused carry its trace; empty the list."""
        for change in changes:
            self.take([change], _HEADERS if change.trigger is None else _HEADERS + trace)
        changes.clear()

    def take(self, changes: list[Change], headers: Headers = _HEADERS) -> None:
        """Write changes, and empty the list."""
        by_ladder, moves, encode = self.by_ladder, self.moves, stage_change.encode
        for change in changes:
            ladder = change.ladder
            out = Out(change.customer.encode(), encode(change), headers)
            of_ladder = by_ladder.get(ladder)
            if of_ladder is None:
                of_ladder = by_ladder[ladder] = []
            of_ladder.append(out)
            move = (ladder, change.from_, change.to, change.cause)
            moves[move] += 1
            if change.held is not None and change.from_ is not None:
                self.stays.append((ladder, change.from_, change.held))
        changes.clear()
