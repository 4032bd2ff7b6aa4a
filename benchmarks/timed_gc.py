"""`ladder`, with the time that the garbage collector takes; told on standard error at the end.

A sampling profiler cannot tell the collector's work from the line that happened to set it off.
"""

from __future__ import annotations

import gc
import json
import sys
import time

from app.cli.main import main

TOLD = "collected "


class _Clock:
    def __init__(self) -> None:
        self.began = self.seconds = 0.0
        self.collections = 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self.began = time.process_time()
        else:
            self.seconds += time.process_time() - self.began
            self.collections += 1


if __name__ == "__main__":
    clock = _Clock()
    gc.callbacks.append(clock)
    try:
        main()
    finally:
        told = {"seconds": clock.seconds, "collections": clock.collections}
        print(TOLD + json.dumps(told), file=sys.stderr)
