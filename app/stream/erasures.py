"""What a store notes of erasures: since when rows are deleted that still lie in older files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

KEY = b"\x00x"
"""Local: it never goes to the changelog. Its value is an instant in µs."""

Row = tuple[bytes, bytes | None]


class Erasures:
    """The note of one store. `get` reads rows of it."""

    def __init__(self, get: Callable[[Sequence[bytes]], list[bytes | None]]) -> None:
        self._get = get
        self._read = False
        self._since: int | None = None
        self._purging = False
        self._meanwhile: int | None = None

    def since(self) -> int | None:
        """Return since when there is something to purge, None for nothing."""
        if not self._read:
            value = self._get([KEY])[0]
            self._since = None if value is None else int.from_bytes(value, "big")
            self._read = True
        return self._since

    def note(self, instant: int) -> Row | None:
        """Return the row to be written with a deletion of somebody's record, if one is needed."""
        if self._purging:
            # What came before is not done yet: its row stays until then.
            self._meanwhile = self._meanwhile or instant
            return None
        if self.since() is not None:
            return None
        self._since = instant
        return _row(instant)

    def begin(self) -> None:
        """Everything that is deleted up to now is about to be purged."""
        self._purging, self._meanwhile = True, None

    def purged(self) -> Row:
        """It is done; returns the row that says so."""
        self._since = self._meanwhile
        return _row(self._since)

    def end(self) -> None:
        """The purge is over, done or not."""
        self._purging = False


def _row(since: int | None) -> Row:
    return KEY, None if since is None else since.to_bytes(8, "big")
