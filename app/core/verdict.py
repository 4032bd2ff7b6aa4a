"""What became of an event or a handover, and what the caller has to do about it."""

import msgspec

from app.core.change import Change
from app.core.events import Refused
from app.core.handover import Handover


class Applied(msgspec.Struct, frozen=True, gc=False):
    """The event is part of the record now; `late` if it came after a later one."""

    late: bool = False


class Repeated(msgspec.Struct, frozen=True, gc=False):
    """Applied before: it changed nothing."""


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """Concerns nobody any more (erased), or nothing was left to do."""


class Forwarded(msgspec.Struct, frozen=True, gc=False):
    """The customer was absorbed: the event is on its way to the survivor."""


class Noted(msgspec.Struct, frozen=True, gc=False):
    """Something was noted that is no fact of anybody."""


Verdict = Applied | Repeated | Dropped | Forwarded | Noted | Refused

IN_TIME, LATE = Applied(False), Applied(True)
REPEATED, DROPPED, FORWARDED, NOTED = Repeated(), Dropped(), Forwarded(), Noted()


class Outbox(msgspec.Struct, gc=False):
    """What the caller has to publish and to deliver, in order."""

    changes: list[Change] = msgspec.field(default_factory=list)
    handovers: list[Handover] = msgspec.field(default_factory=list)
