"""Merges that are on their way while other events are applied, and may cross (section 6)."""

from __future__ import annotations

from .live import Live
from .reading import Settings
from .record import Event, Record


class Crossing(Live):
    """Everybody's events are applied before any absorbed record arrives; then all of them do.

    What is told of an id whose record is on its way waits until it has arrived.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.sent: dict[str, tuple[Event, Record | None, int]] = {}  # by absorbed id
        self.held: list[Event] = []
        self.arrived = False

    def apply(self, event: Event) -> str | None:
        if self.arrived or event.subject not in self.sent:
            return super().apply(event)
        self.advance(event.time)
        self.held.append(event)
        return None

    def merge(self, event: Event) -> None:
        if self.arrived:
            super().merge(event)
            return
        record, left = self.leave(event.subject, event, "merge")
        self.sent[event.subject] = (event, record, left)

    def finish(self, until: int | None) -> None:
        self.arrive()
        for event in self.held:
            reason = self.apply(event)
            assert reason is None, f"{event.id} waited for its customer: {reason}"
        super().finish(until)

    def arrive(self) -> None:
        """Merges in a circle rest at the smallest id of it; the others at their survivor."""
        self.arrived = True
        goes = {id: event.data["into"] for id, (event, _, _) in self.sent.items()}
        rests = {min(circle) for circle in circles(goes)}
        self.into = {id: into for id, into in goes.items() if id not in rests}
        for id, (event, record, left) in sorted(
            self.sent.items(), key=lambda each: each[0] not in rests
        ):
            if record is not None:
                self.turn += 1
                self.take(self.resolve(id), record, event, left)


def circles(goes: dict[str, str]) -> list[set[str]]:
    """The sets of ids from each of which the others, and at last it again, are reached."""
    found = []
    for id in goes:
        seen = [id]
        while seen[-1] in goes and goes[seen[-1]] not in seen:
            seen.append(goes[seen[-1]])
        if goes.get(seen[-1]) == id:
            found.append({*seen})
    return found
