"""The health endpoint before Faust's server is up, on the same bound socket.

Faust starts its web server only after it has reached Kafka, and a worker that waits for its
broker must be seen to be alive, and to be waiting.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from aiohttp import web

from app.api import browsers
from app.api.access import Access, addressed
from app.api.door import Door, Runner
from app.api.health import add_health
from app.api.problem import problems


class Starting:
    """Health of a process that has not started yet. `waits_for` is what it says it waits for."""

    def __init__(self) -> None:
        self.waits_for = "starting"

    def not_alive(self) -> Sequence[str]:
        return ()

    def not_ready(self) -> Sequence[str]:
        return (self.waits_for,)

    def concerns(self) -> Sequence[str]:
        return ()

    def partitions(self) -> Mapping[int, Mapping[str, object]]:
        return {}


class EarlyServer:
    """Answers health on a copy of the listening socket while the context lasts.

    The socket itself stays open, so what connects in between waits for the server that follows.
    """

    def __init__(
        self,
        listener: socket.socket,
        starting: Starting,
        access: Access,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener = listener
        self._tls = tls
        middlewares: list[Any] = [problems, addressed(access)]
        application = web.Application(middlewares=middlewares)
        application.on_response_prepare.append(browsers.tell)
        add_health(application, starting)
        self._runner = Runner(application, shutdown_timeout=1.0)

    async def __aenter__(self) -> EarlyServer:
        await self._runner.setup()
        listener = self._listener.dup()
        await Door(self._runner, listener, self._tls).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
