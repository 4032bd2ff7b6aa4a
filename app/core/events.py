"""What can happen to a customer: contract section 2, decoded and checked.

Whoever makes one of these has checked its limits (`app.wire.cloudevents` for what comes in).
"""

from typing import ClassVar, Literal

import msgspec


class Data(msgspec.Struct, frozen=True, gc=False):
    """What an event says beyond its envelope; one subclass for each type."""

    type: ClassVar[str]


class PurchaseCompleted(Data, frozen=True, gc=False):
    """An order; `amount` in minor units of `currency`."""

    type: ClassVar[str] = "purchase.completed"
    order_id: str
    amount: int
    currency: str
    units: int = 1


class PurchaseRefunded(Data, frozen=True, gc=False):
    """Money given back on an order, on the order's own date; in the order's currency."""

    type: ClassVar[str] = "purchase.refunded"
    order_id: str
    amount: int
    currency: str


class Registered(Data, frozen=True, gc=False):
    """The customer signed up, perhaps brought by another."""

    type: ClassVar[str] = "signup.registered"
    referred_by: str | None = None


class Inquired(Data, frozen=True, gc=False):
    """A call, a form, a request for a quote."""

    type: ClassVar[str] = "signup.inquired"
    channel: str | None = None


class CardIssued(Data, frozen=True, gc=False):
    """The customer holds a card of this tier."""

    type: ClassVar[str] = "signup.card_issued"
    tier: str


class CardRevoked(Data, frozen=True, gc=False):
    """The customer holds no card any more."""

    type: ClassVar[str] = "signup.card_revoked"


ReviewKind = Literal["review", "testimonial", "defence", "complaint"]


class ReviewPosted(Data, frozen=True, gc=False):
    """What the customer said of the shop; a second post of the same id replaces the first."""

    type: ClassVar[str] = "review.posted"
    review_id: str
    rating: float | None = None
    kind: ReviewKind = "review"


class ReviewRemoved(Data, frozen=True, gc=False):
    """That review no longer counts."""

    type: ClassVar[str] = "review.removed"
    review_id: str


class ReferralSent(Data, frozen=True, gc=False):
    """The customer recommended the shop to somebody."""

    type: ClassVar[str] = "referral.sent"
    referred_id: str | None = None


class ReferralConverted(Data, frozen=True, gc=False):
    """Somebody whom the customer brought has bought; `amount` in minor units of `currency`."""

    type: ClassVar[str] = "referral.converted"
    referred_id: str
    amount: int | None = None
    currency: str | None = None


class ReferralReversed(Data, frozen=True, gc=False):
    """That conversion and its revenue no longer count."""

    type: ClassVar[str] = "referral.reversed"
    referred_id: str


class InteractionSeen(Data, frozen=True, gc=False):
    """What the customer looks for: 1 problem, 2 solution, 3 brand, 4 decision."""

    type: ClassVar[str] = "interaction.seen"
    need: int


Attribute = str | int | float | bool | list[str]


class ProfileUpdated(Data, frozen=True, gc=False):
    """Attributes to merge into the profile; None removes one."""

    type: ClassVar[str] = "profile.updated"
    attributes: dict[str, Attribute | None]


class ProfileMerged(Data, frozen=True, gc=False):
    """The subject is absorbed by `into`."""

    type: ClassVar[str] = "profile.merged"
    into: str


class ProfileErased(Data, frozen=True, gc=False):
    """Everything kept about the customer is to be deleted."""

    type: ClassVar[str] = "profile.erased"


class ProfilePlaced(Data, frozen=True, gc=False):
    """Held on a rung by hand until an instant, or until released (`rung` None)."""

    type: ClassVar[str] = "profile.placed"
    ladder: str
    rung: str | None = None
    until: int | None = None


class ClockAdvanced(Data, frozen=True, gc=False):
    """Moves the event clock of the partition it arrives in; concerns no customer."""

    type: ClassVar[str] = "clock.advanced"


TYPES: dict[str, type[Data]] = {
    data.type: data
    for data in (
        PurchaseCompleted,
        PurchaseRefunded,
        Registered,
        Inquired,
        CardIssued,
        CardRevoked,
        ReviewPosted,
        ReviewRemoved,
        ReferralSent,
        ReferralConverted,
        ReferralReversed,
        InteractionSeen,
        ProfileUpdated,
        ProfileMerged,
        ProfileErased,
        ProfilePlaced,
        ClockAdvanced,
    )
}


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event about one customer, at one instant."""

    source: str
    id: str
    subject: str
    time: int
    data: Data

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.data.type


REASONS = (
    "too-large",
    "not-json",
    "not-an-event",
    "unknown-type",
    "key-mismatch",
    "bad-data",
    "unknown-ladder",
    "future",
    "no-rate",
    "wrong-partition",
    "unknown-order",
    "unknown-review",
    "unknown-referral",
    "too-much",
)
"""Why a record can be refused, in the order in which faults are looked for (contract section 2)."""


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Why a record cannot be applied: it goes to the dead letters with these words."""

    reason: str
    message: str
