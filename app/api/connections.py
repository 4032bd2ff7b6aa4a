"""The connections of a server: how many there may be at once, and how long each may take.

Whoever can connect could else hold every file descriptor of the process without saying a word.
"""

from __future__ import annotations

import asyncio
import enum
import socket
from contextlib import suppress

import structlog

from app.api.limits import LONGEST_HEAD

log = structlog.get_logger(__name__)

HEAD_SECONDS = 10.0
"""In which a TLS handshake is over, and the head of a request is whole: from its first byte, the
first request's from when somebody connected.
"""
TAKE_SECONDS, LEAST_TAKEN = 30.0, 32 * 1024
"""In which whoever has more to come takes so many bytes of an answer."""


class Doing(enum.Enum):
    """What a connection is about."""

    ASKING = "the head of a request is on its way"
    ANSWERING = "a request is being answered"
    RESTING = "between two requests"


class Connection(asyncio.Protocol):
    """Hands on what comes to the protocol behind it, and knows what is awaited since when."""

    def __init__(self, behind: asyncio.Protocol) -> None:
        self._behind = behind
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._doing = Doing.ASKING
        self._since = self._loop.time()
        self._may_have_body = self._more = False
        self._head = 0
        self._left: tuple[float, int] | None = None
        self.among: Connections | None = None
        self.socket: socket.socket | None = None

    # What aiohttp says of the requests that it read.

    def began(self, may_have_body: bool = False) -> None:
        """A head came whole."""
        self._now(Doing.ANSWERING)
        self._may_have_body, self._more, self._head = may_have_body, False, 0

    def answered(self) -> None:
        """A request was answered."""
        self._head = 0
        self._now(Doing.ASKING if self._more else Doing.RESTING)

    # What asyncio says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._now(Doing.ASKING)
        self._behind.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._doing is Doing.RESTING:
            self._now(Doing.ASKING)
        elif self._doing is Doing.ANSWERING and not self._may_have_body:
            self._more = True
        if self._doing is Doing.ASKING:
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self.close()
                return
        self._behind.data_received(data)

    def eof_received(self) -> bool | None:
        return self._behind.eof_received()

    def pause_writing(self) -> None:
        self._left = self._loop.time(), self._unsent()
        self._behind.pause_writing()

    def resume_writing(self) -> None:
        self._left = None
        self._behind.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone()
        self._behind.connection_lost(error)

    # What is asked of it.

    def was_made(self) -> bool:
        """Tell whether it ever was open: a TLS handshake may fail."""
        return self._transport is not None

    def is_idle(self) -> bool:
        return self._doing is not Doing.ANSWERING

    def is_overdue(self, now: float) -> bool:
        """Tell whether it took too long to ask, or takes too long to listen."""
        if self._doing is Doing.ASKING and now - self._since >= HEAD_SECONDS:
            return True
        if self._left is None or now - self._left[0] < TAKE_SECONDS:
            return False
        before, self._left = self._left[1], (now, self._unsent())
        return before - self._left[1] < LEAST_TAKEN

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        elif self.socket is not None:
            # In a handshake, which ends with this.
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)

    def gone(self) -> None:
        """It is closed, or never was open."""
        if self.among is not None:
            self.among.remove(self)
            self.among = None

    def _now(self, doing: Doing) -> None:
        self._doing, self._since = doing, self._loop.time()
        if self.among is not None:
            self.among.moved(self)

    def _unsent(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()


class Connections:
    """Those that are open, `most` at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}
        """In the order in which they became so."""
        self._full = False

    def add(self, connection: Connection) -> bool:
        """Keep one more, in the place of the one that is idle for longest if there must be one.

        False where all are at work, and this one has to go.
        """
        if len(self.open) >= self.most:
            if not self._full:
                log.warning(
                    "as many connections as may be: those that are idle for longest are closed",
                    action="connections-full",
                    most=self.most,
                )
            self._full = True
            if not self.close_idle():
                return False
        self.open.add(connection)
        connection.among = self
        self.moved(connection)
        return True

    def moved(self, connection: Connection) -> None:
        """It began something else."""
        self._idle.pop(connection, None)
        if connection.is_idle():
            self._idle[connection] = None

    def remove(self, connection: Connection) -> None:
        self.open.discard(connection)
        self._idle.pop(connection, None)

    def close_idle(self) -> bool:
        """Close the one that is idle for longest; False if none is."""
        longest = next(iter(self._idle), None)
        if longest is None:
            return False
        self._close(longest)
        return True

    def look(self, now: float) -> None:
        """Close those that take too long, at a time of the loop's clock."""
        for connection in [each for each in self.open if each.is_overdue(now)]:
            self._close(connection)
        self._full = self._full and len(self.open) > self.most // 2

    def _close(self, connection: Connection) -> None:
        connection.gone()
        connection.close()
