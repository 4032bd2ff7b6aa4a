"""Logs: one line per thing that an operator may want to know, on standard error.

Ours (structlog) and those of Faust and aiokafka (logging) go the same way. `console` is for people,
`json` for machines: `time`, `level`, `logger`, `action`, `event` and whatever else the line is
about. `event` is a sentence for people and may be worded anew; `action` is its name, and stays.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor

from app.ops import last_words
from app.ops.control_codes import escaped
from app.ops.outage import Outage

BURST = 5
"""Lines of one kind that pass in a window."""
WINDOW = 10.0
"""Seconds."""
KINDS = 1_000
"""Kinds of line that are counted at a time; the one not seen for longest is forgotten."""


def configure(
    stream: TextIO,
    *,
    form: Literal["console", "json"],
    level: str,
    colour: bool = False,
    others: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Send everything that is logged in this process to the stream, and nowhere else.

    level is for our own lines; others, where given, for those of the libraries.
    """
    last_words.form = form
    handler = logging.StreamHandler(stream)
    Outage().attach(handler)
    handler.addFilter(RepeatLimit(clock))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_ending(form, colour),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel((others or level).upper())
    logging.getLogger("app").setLevel(level.upper())
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # loggers are made at import, before this is called
    )


def outage() -> Outage:
    """Return that of the handler that was configured; where none was, one that does nothing."""
    filters = (each for handler in logging.getLogger().handlers for each in handler.filters)
    return next((each for each in filters if isinstance(each, Outage)), Outage())


def wants_colour(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Colour only for a person at a terminal who did not decline it (no-color.org)."""
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


class RepeatLimit(logging.Filter):
    """Lets a few lines of a kind through in each window, and says at the next how many it held.

    A kind is logger, level, text and, where a line has one, its `reason`, else its `partition`: a
    flood of dead letters for one reason does not hide the first for another, and twenty partitions
    that open at once are twenty lines.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._seen: OrderedDict[tuple[object, ...], _Window] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        fields: Any = record.msg if isinstance(record.msg, dict) else {"event": record.msg}
        about = fields.get("reason", fields.get("partition"))
        key = (record.name, record.levelno, str(fields.get("event")), str(about))
        window = self._seen.pop(key, None)
        now = self._clock()
        if window is None or now - window.began >= WINDOW:
            held = window.held if window else 0
            window = _Window(now)
            if held:
                _add_held(record, held)
        window.passed += 1
        self._seen[key] = window
        if len(self._seen) > KINDS:
            self._seen.popitem(last=False)
        if window.passed <= BURST:
            return True
        window.held += 1
        return False


class _Window:
    __slots__ = ("began", "held", "passed")

    def __init__(self, began: float) -> None:
        self.began = began
        self.passed = 0
        self.held = 0


def _add_held(record: logging.LogRecord, held: int) -> None:
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, "left_out": held}
    else:
        record.msg = f"{record.getMessage()} ({held} more like this were left out)"
        record.args = ()


def _json(fields: Mapping[str, object], **_: object) -> str:
    return orjson.dumps(fields, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _in_order(_: object, __: str, fields: EventDict) -> EventDict:
    """What every line has comes first, so that lines read in columns."""
    first = ("time", "level", "logger", "action", "event")
    ordered = {name: fields.pop(name) for name in first if name in fields}
    return {**ordered, **fields}


def _on_one_line(_: object, __: str, fields: EventDict) -> EventDict:
    """What came from outside forges no line, and no terminal obeys it; JSON escapes by itself."""
    return {
        name: escaped(value, lines=name == "event") if isinstance(value, str) else value
        for name, value in fields.items()
    }


def _ending(form: str, colour: bool) -> list[Processor]:
    if form == "json":
        return [
            structlog.processors.format_exc_info,
            _in_order,
            structlog.processors.JSONRenderer(serializer=_json),
        ]
    return [
        _on_one_line,
        structlog.dev.ConsoleRenderer(
            colors=colour,
            pad_event_to=0,
            timestamp_key="time",
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    structlog.processors.UnicodeDecoder(),
]
