"""Where in the changelog the stores of this worker stand, as it tells its group.

Kept in a file, since a worker that starts joins its group before it opens a store. It is a hint by
which partitions are shared out, and nothing else: a store itself says where it stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

log = structlog.get_logger(__name__)

FILE = "stands"
SAVE_SECONDS = 5.0

_decode = msgspec.json.Decoder(dict[int, tuple[int, int]]).decode


class Freshness:
    """Offsets by partition, each with the second since 1970 at which it was true.

    What is older than `lasting` seconds is worth nothing: such a store would be built anew.
    """

    def __init__(
        self, folder: Path, lasting: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._lasting = lasting
        self._clock = clock
        self._saved_at = 0.0
        self._stands = self._read()

    def note(self, offsets: Mapping[int, int]) -> None:
        """Take notice of where open stores stand now."""
        now = round(self._clock())
        self._stands.update((number, (offset, now)) for number, offset in offsets.items())
        if offsets and abs(now - self._saved_at) > SAVE_SECONDS:
            self.save()

    def stands(self) -> dict[int, int]:
        """Return what is worth telling; from any thread."""
        since = self._clock() - self._lasting
        return {number: at for number, (at, when) in list(self._stands.items()) if when > since}

    def save(self) -> None:
        self._saved_at = self._clock()
        new = self._folder / f"{FILE}.new"
        try:
            new.write_bytes(msgspec.json.encode(self._stands))
            new.replace(self._folder / FILE)
        except OSError as error:
            log.warning(
                "where the stores stand could not be noted",
                action="stands-not-noted",
                error=str(error),
            )

    def _read(self) -> dict[int, tuple[int, int]]:
        try:
            noted = _decode((self._folder / FILE).read_bytes())
        except (OSError, msgspec.MsgspecError):
            return {}
        return {n: said for n, said in noted.items() if (self._folder / str(n)).is_dir()}
