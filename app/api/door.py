"""Where connections come in: a worker's listening socket, in front of aiohttp's server.

asyncio has such a loop, too. It says a line for each of a hundred accepts that fail for want of a
file descriptor, each second, and who does not shake hands is none of its business for a minute.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from app.api.connections import HEAD_SECONDS, Connection, Connections
from app.api.limits import QUIET, SERVER
from app.api.problem import Handler
from app.ops import descriptors

log = structlog.get_logger(__name__)

MOST = 1_000
"""Connections at once, and at most half of the process's file descriptors."""
LOOK_SECONDS = 1.0
AT_A_TIME = 32
"""Connections that are let in before others have a turn."""
PAUSE_SECONDS = 0.1
"""After an accept that failed: what waits keeps the socket readable, so to try at once would be to
do nothing else.
"""


class Door(web.BaseSite):
    """Lets connections in to a runner's application, by a socket that is bound and listens."""

    def __init__(
        self,
        runner: Runner,
        listener: socket.socket,
        tls: ssl.SSLContext | None = None,
        make: Callable[[asyncio.Protocol], Connection] = Connection,
        most: int | None = None,
    ) -> None:
        super().__init__(runner, ssl_context=tls)
        self.connections = Connections(most or min(MOST, descriptors.limit() // 2))
        self._listener = listener
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._arriving: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._opening: asyncio.TimerHandle | None = None

    @property
    def name(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"{'https' if self._ssl_context else 'http'}://{host}:{port}"

    async def start(self) -> None:
        await super().start()
        self._listener.setblocking(False)
        self._open()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        self._shut()
        ending = [*self._arriving, *([self._watching] if self._watching else [])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._listener.close()
        await super().stop()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.connections.look(self._loop.time())

    def _open(self) -> None:
        self._loop.add_reader(self._listener.fileno(), self._let_in)

    def _shut(self) -> None:
        self._loop.remove_reader(self._listener.fileno())
        if self._opening is not None:
            self._opening.cancel()

    def _let_in(self) -> None:
        for _ in range(AT_A_TIME):
            try:
                arrived, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue  # whoever connected is gone already
            except OSError as error:
                self._starve(error)
                return
            self._welcome(arrived)

    def _starve(self, error: OSError) -> None:
        """Make room after an accept that failed, and come again later."""
        log.warning(
            "no connection can be taken in: see the limit of open files (ulimit -Hn)",
            action="connections-starved",
            error=error.strerror,
        )
        self.connections.close_idle()
        self._shut()
        self._opening = self._loop.call_later(PAUSE_SECONDS, self._open)

    def _welcome(self, arrived: socket.socket) -> None:
        server = self._runner.server
        assert server is not None
        connection = self._make(server())
        connection.socket = arrived
        if not self.connections.add(connection):
            arrived.close()
            return
        task = asyncio.create_task(self._connect(connection, arrived))
        self._arriving.add(task)
        task.add_done_callback(lambda ended: self._arrived(ended, connection, arrived))

    async def _connect(self, connection: Connection, arrived: socket.socket) -> None:
        tls = self._ssl_context
        patience = HEAD_SECONDS if tls is not None else None
        # One that does not come to shake hands is no matter of ours.
        with suppress(OSError):
            await self._loop.connect_accepted_socket(
                lambda: connection, arrived, ssl=tls, ssl_handshake_timeout=patience
            )

    def _arrived(
        self, task: asyncio.Task[None], connection: Connection, arrived: socket.socket
    ) -> None:
        self._arriving.discard(task)
        if not connection.was_made():
            arrived.close()
            connection.gone()


class Runner(web.AppRunner):
    """aiohttp's runner of an application that tells its connections what becomes of requests."""

    def __init__(self, application: web.Application, **more: Any) -> None:
        application.middlewares.insert(0, _begins)
        super().__init__(
            application, access_log_class=_Answered, access_log=QUIET, **SERVER, **more
        )


class _Answered(AbstractAccessLogger):
    """Tells a connection that it was answered: what aiohttp says to who writes an access log."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        connection = _of(request)
        if connection is not None:
            connection.answered()


@web.middleware
async def _begins(request: web.Request, handler: Handler) -> web.StreamResponse:
    connection = _of(request)
    if connection is not None:
        connection.began(request.body_exists)
    return await handler(request)


def _of(request: web.BaseRequest) -> Connection | None:
    connection = request.transport.get_protocol() if request.transport else None
    return connection if isinstance(connection, Connection) else None
