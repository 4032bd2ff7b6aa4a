"""Who spends most: the cuts of `top_spender(p, n)`, taken at each day boundary (contract 3).

Of the m customers with spend in the last n days, ranked, the cut is the spend of the one at rank
ceil(p * m / 100). It holds for the day.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence

from app.core.customer import Customer
from app.core.facts import Cuts
from app.core.series import within
from app.core.sums import GREATEST

_BLOCK = 512

_NUMBER_BITS = 32
"""A ranked spend is one integer, spend * 2**32 + the customer's number: cheap to compare."""


class _Order:
    """Ranked spends, smallest first, in blocks short enough for cheap insertion."""

    __slots__ = ("_blocks", "_lasts", "size")

    def __init__(self) -> None:
        self._blocks: list[list[int]] = [[]]
        self._lasts: list[int] = []
        """The greatest entry of each block but the last, which takes all beyond."""
        self.size = 0

    def _block_of(self, entry: int) -> int:
        return bisect_left(self._lasts, entry)

    def add(self, entry: int) -> None:
        at = self._block_of(entry)
        block = self._blocks[at]
        insort(block, entry)
        self.size += 1
        if len(block) > 2 * _BLOCK:
            self._blocks[at : at + 1] = [block[:_BLOCK], block[_BLOCK:]]
            self._lasts.insert(at, block[_BLOCK - 1])

    def remove(self, entry: int) -> None:
        at = self._block_of(entry)
        block = self._blocks[at]
        del block[bisect_left(block, entry)]
        self.size -= 1
        if not block and len(self._blocks) > 1:
            del self._blocks[at]
            del self._lasts[min(at, len(self._lasts) - 1)]

    def from_top(self, rank: int) -> int:
        """Return the spend at a rank, 1 the greatest."""
        for block in reversed(self._blocks):
            if rank <= len(block):
                return block[-rank] >> _NUMBER_BITS
            rank -= len(block)
        raise IndexError(rank)

    def between(self, low: int, high: int) -> Iterator[int]:
        """Yield the numbers of those whose spend is at least `low` and below `high`."""
        first, last = low << _NUMBER_BITS, high << _NUMBER_BITS
        for block in self._blocks[self._block_of(first) :]:
            for entry in block[bisect_left(block, first) :]:
                if entry >= last:
                    return
                yield entry & ((1 << _NUMBER_BITS) - 1)


_BEYOND = GREATEST + 1


class Ranking:
    """The spend of customers in each window, and the cuts of each day.

    Somebody counts once `note` has been called for them; `turn` is called at each day boundary.
    """

    def __init__(self, tops: Sequence[tuple[int, int]], days_kept: int | None = None) -> None:
        """`tops` are the (percent, days) that the ladders name; cuts of `days_kept` days stay."""
        self._tops = tops
        self._days_kept = days_kept
        self._windows = sorted({days for _, days in tops})
        self._spends: dict[int, dict[str, int]] = {days: {} for days in self._windows}
        self._orders = {days: _Order() for days in self._windows}
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._free: list[int] = []
        self._drops: dict[int, set[str]] = {}
        self._cuts: dict[int, dict[tuple[int, int], int]] = {}
        self._day: int | None = None

    def at(self, day: int) -> Cuts:
        """Return the cuts that hold for a day; none before the first boundary."""
        if self._day is None:
            return {}
        return self._cuts.get(min(day, self._day), {})

    def resume(self, day: int, cuts: Cuts) -> None:
        """Go on from the cuts taken at the begin of a day, after a restart."""
        self._cuts[day], self._day = dict(cuts), day

    def note(self, customer: str, c: Customer, today: int, days: Iterable[int]) -> None:
        """Take in a customer's spend as of `today`, after it changed on some `days`."""
        for window in self._windows:
            self._set(window, customer, within(c.bought, 1, today - window + 1))
            for day in days:
                if day + window > today:
                    self._drops.setdefault(day + window, set()).add(customer)

    def forget(self, customer: str) -> None:
        """Count a customer no longer (absorbed or erased)."""
        for window in self._windows:
            self._set(window, customer, 0)
        number = self._numbers.pop(customer, None)
        if number is not None:
            del self._names[number]
            self._free.append(number)

    def turn(self, day: int, read: Callable[[str], Customer | None]) -> set[str]:
        """Take the cuts at the boundary at which `day` begins; returns whose standing flips."""
        over = [drop for drop in self._drops if drop <= day]
        for customer in {one for drop in over for one in self._drops.pop(drop)}:
            c = read(customer)
            for window in self._windows:
                spend = within(c.bought, 1, day - window + 1) if c else 0
                self._set(window, customer, spend)
        before = self.at(day)
        cuts = {top: self._cut(*top) for top in self._tops if self._orders[top[1]].size}
        self._cuts[day], self._day = cuts, day
        if self._days_kept:
            self._cuts.pop(day - self._days_kept, None)
        flipped: set[str] = set()
        for top in self._tops:
            low, high = sorted((before.get(top, _BEYOND), cuts.get(top, _BEYOND)))
            numbers = self._orders[top[1]].between(low, high)
            flipped.update(self._names[number] for number in numbers)
        return flipped

    def _cut(self, percent: int, window: int) -> int:
        order = self._orders[window]
        return order.from_top(-(-percent * order.size // 100))

    def _set(self, window: int, customer: str, spend: int) -> None:
        spends, order = self._spends[window], self._orders[window]
        before = spends.get(customer, 0)
        if before == spend:
            return
        number = self._number(customer)
        if before:
            order.remove(before << _NUMBER_BITS | number)
            del spends[customer]
        if spend:
            spends[customer] = spend
            order.add(spend << _NUMBER_BITS | number)

    def _number(self, customer: str) -> int:
        number = self._numbers.get(customer)
        if number is None:
            number = self._free.pop() if self._free else len(self._names)
            self._numbers[customer] = number
            self._names[number] = customer
        return number
