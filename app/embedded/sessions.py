"""Which members of which consumer groups are silent for longer than they said they would be. Pure.

A member is alive while a request of its own waits for an answer, as one to join does until the
others have joined, and for as long as its session after it was last heard.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Member(NamedTuple):
    """Of a consumer group, by the id that the broker gave it."""

    group: str
    id: str


@dataclass
class _Session:
    seconds: float
    heard: float
    waiting: int = 0


class Sessions:
    """Times are seconds of a clock that is handed in."""

    def __init__(self) -> None:
        self._of: dict[Member, _Session] = {}

    def asks(self, member: Member, seconds: float, now: float) -> None:
        """Take notice of a request, and of how long its member may be silent."""
        session = self._of.setdefault(member, _Session(seconds, now))
        session.seconds, session.heard = seconds, now
        session.waiting += 1

    def answered(self, member: Member, now: float) -> None:
        """Take notice of the answer: from here on it is the member's turn."""
        if session := self._of.get(member):
            session.heard = now
        self.hung_up([member])

    def hung_up(self, members: Iterable[Member]) -> None:
        """Take notice that nobody waits for these answers any more."""
        for member in members:
            if session := self._of.get(member):
                session.waiting = max(0, session.waiting - 1)

    def silent(self, now: float) -> list[tuple[Member, float]]:
        """Return who is silent for too long, and for how many seconds."""
        return [
            (member, now - session.heard)
            for member, session in self._of.items()
            if not session.waiting and now - session.heard > session.seconds
        ]

    def forgive(self, seconds: float) -> None:
        """Nobody could be heard for so long."""
        for session in self._of.values():
            session.heard += seconds

    def forget(self, member: Member) -> None:
        self._of.pop(member, None)
