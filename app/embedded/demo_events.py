"""The demo's events as lines of NDJSON, in time order: real purchases, and a made-up life around.

What is real and what is not: `data/README.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from app.core.instants import SECOND, format_instant
from app.embedded.demo_people import BEGIN, END, SOURCE, Dice, MadeUp, shopper, stranger
from app.embedded.demo_purchases import CURRENCY, DAY, Purchase, by_customer, chosen, read_purchases

SHOP = "/shop/orders"
UNTIL = END * SECOND
"""Where the clock is moved at the end, µs."""
_FAMILIES = ("purchase", "signup", "review", "referral", "interaction", "profile")
_encode = msgspec.json.Encoder().encode


class Story(NamedTuple):
    """Lines in time order, and how many of them are real; `warmest` is who bought most often."""

    lines: list[bytes]
    customers: int
    purchases: int
    warmest: str


class _Line(NamedTuple):
    time: int
    topic: int
    text: bytes


def tell(customers: int | None = None) -> Story:
    """All that happens in a shop of so many customers of CDNOW; None: all 23,570 of them."""
    known = by_customer(read_purchases())
    ids = chosen(sorted(known), customers)
    bought = {customer: known[customer] for customer in ids}
    purchases = [purchase for orders in bought.values() for purchase in orders]
    lines = [_real(purchase) for purchase in purchases]
    lines += [_made_up(event) for event in _lives(bought)]
    lines += _broken(bought)
    lines.sort(key=lambda line: line[:2])
    warmest = max(bought, key=lambda customer: len(bought[customer]))
    return Story([line.text for line in lines], len(ids), len(purchases), warmest)


def _lives(bought: Mapping[str, Sequence[Purchase]]) -> Iterator[MadeUp]:
    fans = [customer for customer, orders in bought.items() if len(orders) >= 4]
    pool = fans[::5] or list(bought)[:1]
    latest: dict[str, int] = {}
    for customer, orders in bought.items():
        life = shopper(customer, orders, lambda dice: dice.pick(pool))
        latest[customer] = max([orders[-1].time, *(event.time for event in life)])
        yield from life
    for number in range(1, max(60, len(bought) // 25) + 1):
        yield from stranger(f"p-{number:04}")
    yield from _by_the_shop(bought, latest)


def _by_the_shop(
    bought: Mapping[str, Sequence[Purchase]], latest: Mapping[str, int]
) -> Iterator[MadeUp]:
    """Merges, erasures and placements by hand, each of customers of their own."""
    dice = Dice("shop")
    left = iter([customer for customer in bought if dice.chance(0.1)])
    size = len(bought)
    for into, gone in zip(_take(left, size // 600), _take(left, size // 600), strict=False):
        time = max(bought[into][0].time, bought[gone][0].time) + dice.whole(1, 60) * DAY
        yield from _event(time, gone, "profile.merged", into=into)
    for customer in _take(left, size // 1_000):
        yield from _event(latest[customer] + DAY, customer, "profile.erased")
    for customer in _take(left, size // 1_000):
        time = bought[customer][0].time + 3 * DAY
        until = format_instant((time + 120 * DAY) * SECOND)
        rung = dice.pick(("member", "advocate"))
        yield from _event(
            time, customer, "profile.placed", ladder="raving-fan", rung=rung, until=until
        )
    for customer in _take(left, size // 2_000):
        time = bought[customer][0].time + 10 * DAY
        yield from _event(
            time, customer, "profile.placed", ladder="key-account", rung="key-account"
        )
        yield from _event(
            time + 90 * DAY, customer, "profile.placed", "end", ladder="key-account", rung=None
        )


def _take(customers: Iterator[str], number: int) -> list[str]:
    return [customer for customer, _ in zip(customers, range(max(2, number)), strict=False)]


def _event(
    time: int, subject: str, type_: str, name: str = "shop", **data: object
) -> Iterator[MadeUp]:
    if BEGIN <= time < END:
        yield MadeUp(time, f"{subject}/{name}/{type_}", type_, subject, data)


def _broken(bought: Mapping[str, Sequence[Purchase]]) -> list[_Line]:
    """Lines that no worker can apply: each becomes a dead letter, and holds nothing up."""
    first = next(iter(bought.values()))[0]
    time = first.time + 100 * DAY
    told: Iterable[tuple[str, dict[str, object]]] = (
        ("purchase.refunded", {"order_id": "o-none", "amount": 100, "currency": CURRENCY}),
        ("purchase.completed", {"order_id": "o-yen", "amount": 100, "currency": "JPY"}),
        ("purchase.completed", {"order_id": "o-less", "amount": -1, "currency": CURRENCY}),
        ("review.removed", {"review_id": "review-none"}),
        ("newsletter.opened", {}),
    )
    lines = [
        _made_up(MadeUp(time + number * DAY, f"broken/{number}", type_, first.customer, data))
        for number, (type_, data) in enumerate(told)
    ]
    return [*lines, _Line(time, 0, b'{"source": "/demo/made-up", "this line": "is cut off')]


def _real(purchase: Purchase) -> _Line:
    data = {
        "order_id": purchase.order_id,
        "amount": purchase.cents,
        "currency": CURRENCY,
        "units": purchase.units,
    }
    name = f"{purchase.order_id}:paid"
    text = _text(SHOP, name, "purchase.completed", purchase.customer, purchase.time, data)
    return _Line(purchase.time, 0, text)


def _made_up(event: MadeUp) -> _Line:
    family = event.type.partition(".")[0]
    topic = _FAMILIES.index(family) if family in _FAMILIES else 0
    text = _text(SOURCE, event.id, event.type, event.subject, event.time, event.data)
    return _Line(event.time, topic, text)


def _text(
    source: str, name: str, type_: str, subject: str, time: int, data: Mapping[str, object]
) -> bytes:
    return _encode(
        {
            "specversion": "1.0",
            "id": name,
            "source": source,
            "type": type_,
            "subject": subject,
            "time": format_instant(time * SECOND),
            "data": data,
        }
    )
