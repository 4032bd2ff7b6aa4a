"""The customers that a batch works on, and a bounded number of those of the batches before.

A slot is changed in place while a batch is folded, so it is as committed only if the batch is:
whoever gives a batch up has to `clear`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from hashlib import sha256
from itertools import islice

from app.core.address import Address, address_of
from app.core.apply import next_due
from app.core.customer import Customer, Slot
from app.core.due import NEVER
from app.core.rules import Rules
from app.stream import due
from app.stream.store import StoreBroken
from app.stream.store_batches import Row
from app.wire.record import RecordCodec, id_in, traces_key

KEPT = 300
"""Slots kept decoded for each partition; up to twice as many for a while."""


class RowUnreadable(StoreBroken):
    """A stored row is no record of this program; the customer is named by a digest of the id."""


class Held:
    """A slot, and the instant under which the index of what is due has it (0: not at all).

    `also` is a second one that may be there, from the row, where a mark says that the entry was
    moved; `sure`: the index was written from here.
    """

    __slots__ = ("also", "due", "marked", "slot", "sure")

    def __init__(self, slot: Slot, mark: int = 0) -> None:
        self.slot = slot
        self.sure = False
        self.marked = bool(mark)
        record = slot.record
        known = record.due if isinstance(record, Customer) else None
        row = 0 if known is None or known == NEVER else known
        self.due, self.also = (mark, row) if mark else (row, 0)


class Slots:
    """Slots by customer id, read from the store when they are needed."""

    def __init__(
        self,
        rules: Rules,
        codec: RecordCodec,
        get: Callable[[list[bytes]], Sequence[bytes | None]],
        kept: int = KEPT,
    ) -> None:
        self._rules = rules
        self._codec = codec
        self._get = get
        self._kept = kept
        self._used: dict[str, Held] = {}
        # Two generations stand for a list by last use, at the price of one look-up.
        self._young: dict[str, Held] = {}
        self._old: dict[str, Held] = {}
        self.asked = self.missed = 0
        """Customers that batches needed, and those of them that were not here."""
        self.erased: list[str] = []
        """Who was erased in the batch that was settled last."""

    def prepare(self, customers: Collection[str]) -> None:
        """Read what is not here yet in one go, before a batch needs it."""
        missing = [
            customer
            for customer in customers
            if customer not in self._used and not self._recall(customer)
        ]
        self.asked += len(customers)
        self.missed += len(missing)
        if missing:
            slots = self._load(missing)
            known = [who for who, slot in slots.items() if isinstance(slot.record, Customer)]
            marks = dict(
                zip(known, self._get([due.mark(who.encode()) for who in known]), strict=True)
            )
            for customer, slot in slots.items():
                self._used[customer] = Held(slot, due.instant_of(marks.get(customer)))

    def _load(self, customers: Sequence[str]) -> dict[str, Slot]:
        try:
            return self._codec.load(customers, self._get)
        except ValueError as error:
            if len(customers) > 1:
                return {who: slot for one in customers for who, slot in self._load([one]).items()}
            digest = sha256(customers[0].encode()).hexdigest()[:16]
            raise RowUnreadable(f"customer with SHA-256 {digest}...: {error}") from error

    def held(self, customer: str) -> Held:
        """Return the slot of a customer, to be changed in place."""
        held = self._used.get(customer)
        if held is None:
            self.prepare((customer,))
            held = self._used[customer]
        return held

    def at(self, address: Address) -> str | None:
        """Return the customer who has an address, as far as he is reachable; else None."""
        try:
            kept = id_in(self._get([traces_key(address.digest)])[0])
        except ValueError as error:
            digest = address.digest.hex()[:16]
            raise RowUnreadable(f"customer with SHA-256 {digest}...: {error}") from error
        if kept is not None:
            return kept
        # What this batch wrote is not stored yet.
        return next(
            (
                customer
                for customer, held in self._used.items()
                if held.slot.reachable and address_of(customer) == address
            ),
            None,
        )

    def _recall(self, customer: str) -> bool:
        held = self._young.get(customer) or self._old.pop(customer, None)
        if held is None:
            return False
        self._used[customer] = held
        return True

    def touched(self) -> list[tuple[str, Held]]:
        """Return whom the batch touched; each is then to be settled."""
        self.erased = []
        return [(customer, held) for customer, held in self._used.items() if held.slot.touched]

    def settle(
        self, touched: Iterable[tuple[str, Held]], rows: list[Row], local: list[Row]
    ) -> None:
        """Add the rows to be committed, and the local ones that follow from them."""
        for customer, held in touched:
            if held.slot.erased is not held.slot.traced[0]:
                self.erased.append(customer)
            self.index(customer, held, local)
            rows += self._codec.changed_rows(held.slot)

    def index(self, customer: str, held: Held, local: list[Row]) -> None:
        """Bring the index of what is due up to date with a slot."""
        instant = next_due(self._rules, held.slot) or 0
        written = held.slot.touched
        if instant == held.due and held.sure and not (written and held.marked):
            return
        encoded = customer.encode()
        others = {held.due, held.also} - {0, instant}
        local += [(due.entry(other, encoded), None) for other in others]
        if instant:
            local.append((due.entry(instant, encoded), b""))
        if instant and not written and instant != held.due:
            local.append((due.mark(encoded), instant.to_bytes(8, "big")))
            held.marked = True
        elif held.marked and (written or not instant):
            local.append((due.mark(encoded), None))
            held.marked = False
        held.due, held.also, held.sure = instant, 0, True

    def keep(self) -> None:
        """Take the batch's slots for those that were used last: it is committed."""
        if len(self._young) + len(self._used) > self._kept:
            self._old, self._young = self._young, {}
        # Of a batch from a backlog only the last: a record takes ten times its bytes in here.
        too_many = max(0, len(self._used) - self._kept)
        self._young.update(islice(self._used.items(), too_many, None))
        self._used.clear()

    def clear(self) -> None:
        """Forget everything: what lies here may never have been committed."""
        self._used.clear()
        self._young.clear()
        self._old.clear()
