"""What looks after a running worker's health, put together."""

from __future__ import annotations

import ssl
from collections.abc import Coroutine
from typing import Any

from app.ops import logs
from app.settings import Settings
from app.stream import clients
from app.stream.absent import Absent, Group
from app.stream.assignment import Assignment
from app.stream.contact import Absence, Contact
from app.stream.host import LadderApp
from app.stream.readiness import Readiness
from app.stream.standby import Standbys
from app.stream.watchdog import Watchdog


class Health:
    """`readiness` answers for all of it; `looks` go on for as long as the worker runs."""

    def __init__(
        self,
        settings: Settings,
        *,
        app: LadderApp,
        assignment: Assignment,
        standbys: Standbys,
        group: Group,
        trusted: ssl.SSLContext | None,
        absence: Absence,
    ) -> None:
        self._watchdog = Watchdog(
            assignment,
            settings.watchdog + settings.merge_wait,
            lambda places: clients.answers(settings, places),
        )
        self._contact = Contact(
            absence,
            logs.outage(),
            silences=app.silences,
            heard=app.heard,
            ask=lambda: clients.refusal(settings),
        )
        self._absent = Absent(group, trusted, lambda: assignment.generation is not None)
        self.readiness = Readiness(
            assignment,
            self._watchdog,
            standbys,
            self._contact,
            self._absent,
            settings.session_timeout,
        )

    def looks(self) -> tuple[Coroutine[Any, Any, None], ...]:
        return self._watchdog.run(), self._contact.run(), self._absent.run()
