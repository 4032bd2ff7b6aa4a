"""The clock of a partition: up to which instant what is due is evaluated (contract section 5).

Pure: the wall clock is handed in. Instants are µs since 1970.
"""

from typing import Protocol

from app.core.instants import SECOND

LEEWAY = SECOND
"""How far what is due stays behind the wall clock, so that events on their way are not late."""

PATIENCE = 5 * SECOND
"""How long, by the wall clock, an event clock leaves what is due while there is more to read."""


class Clock(Protocol):
    """Where a partition stands in time; `position` never goes back."""

    position: int

    def applied(self, time: int) -> None:
        """Take notice of an event that was applied."""

    def before(self, time: int, now: int) -> int:
        """Return where the clock stands when what is at `time` comes next."""

    def due_until(self, now: int, oldest: int | None, quiet: bool) -> int | None:
        """Return the instant up to which everything due is to be evaluated now; None: not now.

        now: the wall clock. oldest: the time of the oldest record that was not yet applied, None
        if there is none; when older ones may exist that nobody has seen, it is the position.
        quiet: nothing more to read.
        """

    def done(self, until: int) -> None:
        """Take notice that nothing due up to an instant is left."""

    def behind(self) -> int:
        """Return how far, in µs, what is due is evaluated behind the position; 0: all of it is."""


class WallClock:
    """The wall clock, but never past the oldest record that was not yet applied."""

    def __init__(self, position: int) -> None:
        self.position = position
        self._until = self._done = position

    def applied(self, time: int) -> None:
        """Do nothing: what is applied holds this clock back before, and not after."""

    def before(self, time: int, now: int) -> int:
        """See `Clock`."""
        return max(self.position, min(now, time))

    def due_until(self, now: int, oldest: int | None, quiet: bool) -> int | None:
        """See `Clock`."""
        self.position = max(self.position, now if oldest is None else min(now, oldest))
        self._until = self.position - LEEWAY if self.position == now else self.position
        return self._until

    def done(self, until: int) -> None:
        """See `Clock`."""
        self._done = until

    def behind(self) -> int:
        """See `Clock`."""
        return max(0, self._until - self._done)


class EventClock:
    """The greatest event time applied."""

    def __init__(self, position: int) -> None:
        self.position = position
        self._behind_since: int | None = None
        self._done = position
        # Also true after a late event: what is due for its customer may lie before the position.
        self._touched = True

    def applied(self, time: int) -> None:
        """See `Clock`."""
        self._touched = True
        if time > self.position:
            self.position = time

    def before(self, time: int, now: int) -> int:
        """See `Clock`."""
        return max(self.position, time)

    def due_until(self, now: int, oldest: int | None, quiet: bool) -> int | None:
        """See `Clock`."""
        if not self._touched:
            return None
        if self._behind_since is None:
            self._behind_since = now
        if not quiet and 0 <= now - self._behind_since < PATIENCE:
            return None
        return self.position

    def done(self, until: int) -> None:
        """See `Clock`."""
        self._behind_since = None
        self._touched = False
        self._done = until

    def behind(self) -> int:
        """See `Clock`; more than 0, too, while nobody has looked since a late event."""
        return max(1, self.position - self._done) if self._touched else 0
