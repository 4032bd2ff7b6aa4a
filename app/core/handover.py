"""What one customer's record owes another's: delivered by the caller, exactly once.

`to` is the customer id (and Kafka key) it goes to, `time` the instant of the event behind it.
"""

import msgspec

from app.core.change import Trigger
from app.core.customer import Customer
from app.core.events import Event


class Credit(msgspec.Struct, frozen=True, gc=False):
    """A referral converted or reversed by the referred customer's own record.

    The event's subject is the referrer as the referred customer named him.
    """

    to: str
    time: int
    event: Event


class Forward(msgspec.Struct, frozen=True, gc=False):
    """An event for an absorbed customer, on its way to the survivor."""

    to: str
    time: int
    event: Event


class Absorb(msgspec.Struct, frozen=True, gc=False):
    """A merged customer's record (None: nobody knew it) and the ids that forward to it.

    `path` lists the ids that have passed it on, the absorbed one first. `settle` says that the
    merges crossed and that the addressee is the one to survive.
    """

    to: str
    time: int
    absorbed: str
    record: Customer | None
    aliases: tuple[str, ...]
    trigger: Trigger
    path: tuple[str, ...]
    settle: bool = False


class Forget(msgspec.Struct, frozen=True, gc=False):
    """The survivor was erased: so is the absorbed id that forwards to it."""

    to: str
    time: int
    instant: int


Handover = Credit | Forward | Absorb | Forget
