"""What one customer's record owes another's: delivered by the caller, exactly once.

`to` is the customer id (and Kafka key) it goes to, `time` the instant of the event behind it.
"""

import msgspec
from msgspec.structs import replace

from app.core.address import Address
from app.core.change import Trigger
from app.core.customer import Customer
from app.core.events import Event


class Credit(msgspec.Struct, frozen=True, gc=False):
    """A referral converted or reversed by the referred customer's own record.

    It is sent to an address: then `to` and the event's subject, the referrer as the referred
    customer named him, are empty until whoever delivers it has found the id (`found`). `returns`
    counts how often it came back to him and found a forwarding; `since` is for who delivers it, to
    note when that was first.
    """

    to: str
    time: int
    event: Event
    returns: int = 0
    since: int = 0
    address: Address | None = None

    def found(self, customer: str) -> "Credit":
        """Return the same for the customer who was found at its address."""
        return replace(self, to=customer, event=replace(self.event, subject=customer), address=None)


class Named(msgspec.Struct, frozen=True, gc=False):
    """Somebody was brought by this customer, and keeps no more than the address."""

    to: str
    time: int


class Forward(msgspec.Struct, frozen=True, gc=False):
    """An event for an absorbed customer, on its way to the survivor.

    `returns` counts how often it came back to the customer and found a forwarding; `since` is for
    who delivers it, to note when that was first.
    """

    to: str
    time: int
    event: Event
    returns: int = 0
    since: int = 0


class Absorb(msgspec.Struct, frozen=True, gc=False):
    """A merged customer's record (None: nobody knew it) and the ids that forward to it.

    `path` lists the ids that have passed it on. Where it comes back to one of them, merges have
    crossed: it goes round once more from the smallest of the circle (`lap`), to see that the circle
    is closed still, and then that one is to survive (`settle`). `home`: the survivor had no room,
    and it is on its way to its own id, to be a customer there again.
    """

    to: str
    time: int
    absorbed: str
    record: Customer | None
    aliases: tuple[str, ...]
    trigger: Trigger
    path: tuple[str, ...]
    lap: bool = False
    settle: bool = False
    home: bool = False


class Forget(msgspec.Struct, frozen=True, gc=False):
    """The survivor was erased: so is the absorbed id that forwards to it.

    Or it knows the id no more, and lets it go (`app.core.people.LET_GO`).
    """

    to: str
    time: int
    instant: int


class Redirect(msgspec.Struct, frozen=True, gc=False):
    """An absorbed customer's record came to rest further on than it was sent: forward there.

    Who passed it on may be forgotten, and know nothing of it any more.
    """

    to: str
    time: int
    into: str


Handover = Credit | Named | Forward | Absorb | Forget | Redirect
