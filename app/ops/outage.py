"""What the log says of an outage of Kafka: a line of ours when it begins and one when it ends.

While no broker answers, every client tells so again and again, and so does what of ours tries to go
on. All of that is told at debug. Who knows whether Kafka is away says so with `settle`; until then
such a line is held, so that the first complaints do not come before what explains them.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

CLIENTS = frozenset({"aiokafka", "kafka", "faust", "mode"})
"""Whose loggers are those of libraries that talk with Kafka."""
RETRIES = frozenset({
    "changes-unread", "history-unread", "kafka-silent", "partition-open-retried",
    "partition-reopening", "standbys-retried",
})  # fmt: skip
"""Actions of lines that say that something was tried in vain and is tried again."""
MOST_HELD = 1_000
LONGEST_SECONDS = 15.0
"""That a line is held: whoever was to settle it hangs."""
_SETTLED = "settled"


class Outage(logging.Filter):
    """Of a handler. `away`: Kafka is known to be."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self._handler: logging.Handler | None = None
        self._doubted: Callable[[], None] | None = None
        self._held: deque[logging.LogRecord] = deque(maxlen=MOST_HELD)
        self._lock = Lock()

    def attach(self, handler: logging.Handler) -> None:
        self._handler = handler
        handler.addFilter(self)

    def watch(self, doubted: Callable[[], None] | None) -> None:
        """Hold what tells of an outage until `settle`, and call `doubted`, from any thread, each
        time that something does; None: nobody settles any more.
        """
        self._doubted = doubted
        if doubted is None:
            self.settle(away=self.away)

    def settle(self, *, away: bool) -> None:
        """Kafka is away, or it is not: let go of what was held, at debug if it is."""
        with self._lock:
            self.away = away
            held, self._held = self._held, deque(maxlen=MOST_HELD)
        for record in held:
            setattr(record, _SETTLED, True)
            if self._handler is not None and (not away or _at_debug(record)):
                self._handler.handle(record)

    def filter(self, record: logging.LogRecord) -> bool:
        if hasattr(record, _SETTLED) or not _tells_of_outage(record):
            return True
        with self._lock:
            away, doubted = self.away, self._doubted
            if not away and doubted is not None:
                self._held.append(record)
            first = self._held[0] if self._held else record
        if away:
            return _at_debug(record)
        if doubted is None:
            return True
        if record.created - first.created > LONGEST_SECONDS:
            self.settle(away=False)
        with suppress(RuntimeError):  # whoever watched has ended, and will let go of it
            doubted()
        return False


def _tells_of_outage(record: logging.LogRecord) -> bool:
    """A traceback tells of something else than a broker that does not answer."""
    if record.levelno < logging.WARNING or record.exc_info:
        return False
    if isinstance(record.msg, dict):
        return record.msg.get("action") in RETRIES
    return record.name.partition(".")[0] in CLIENTS


def _at_debug(record: logging.LogRecord) -> bool:
    """Make it a line of that level; tells whether such lines are wanted."""
    if not logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
        return False
    record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, "level": "debug"}
    return True
