"""`ladder` under a wall clock that a test moves: `python -m tests.faults.shifted worker`.

Only the time of day jumps. What counts how long something takes goes on, as on a real machine.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import time
from pathlib import Path

FILE = "CLOCK_SHIFT_FILE"
"""Names a file of eight bytes: by how many seconds the clock is ahead."""
_FORMAT = "<d"


def shift_clock(file: Path, seconds: float) -> None:
    """Move the clock of whoever runs under this file, at once."""
    if not file.exists():
        file.write_bytes(struct.pack(_FORMAT, seconds))
    with file.open("r+b") as opened:
        opened.write(struct.pack(_FORMAT, seconds))


def _shift(file: Path) -> None:
    with file.open("rb") as opened:
        shared = mmap.mmap(opened.fileno(), 8, access=mmap.ACCESS_READ)
    real, real_ns = time.time, time.time_ns

    def now() -> float:
        return real() + float(struct.unpack(_FORMAT, shared)[0])

    def now_ns() -> int:
        return real_ns() + int(struct.unpack(_FORMAT, shared)[0] * 1e9)

    time.time, time.time_ns = now, now_ns


if __name__ == "__main__":
    _shift(Path(os.environ[FILE]))
    from app.cli.main import main

    sys.exit(main())
