"""Who gets which partition, and who keeps a copy of it. Pure; the group's leader asks.

A partition is worked on by somebody whose store is up to date, as long as there is such a one. Who
should have it by count but has nothing of it yet gets it as a copy first, is told that it warms up,
and takes it over when the group comes together again (as in Kafka's KIP-441).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

NEAR = 100_000
"""Rows of the changelog that a store may lack and still count as up to date: a part of a second."""


@dataclass(frozen=True)
class Member:
    """What a member says: which partitions it had, and where in the changelog its stores stand."""

    had: frozenset[int] = frozenset()
    stands: Mapping[int, int] = field(default_factory=dict)


@dataclass
class Share:
    """What a member gets; `warming` are those of its copies that it is to take over."""

    actives: set[int] = field(default_factory=set)
    standbys: set[int] = field(default_factory=set)
    warming: set[int] = field(default_factory=set)


def share_out(partitions: int, members: Mapping[str, Member], copies: int) -> dict[str, Share]:
    """Give every partition to one member and `copies` of it to others, as far as there are some."""
    return _Sharing(partitions, dict(sorted(members.items())), copies).result()


class _Sharing:
    def __init__(self, partitions: int, members: Mapping[str, Member], copies: int) -> None:
        self._partitions = range(partitions)
        self._members = members
        self._copies = min(copies, len(members) - 1)
        self._newest = {
            number: max(self._stand(name, number) for name in members)
            for number in self._partitions
        }

    def result(self) -> dict[str, Share]:
        shares = {name: Share() for name in self._members}
        for number, name in self._by_count().items():
            worker = name
            if self._copies and not self._near(name, number):
                worker = self._stand_in(number, shares)
                shares[name].standbys.add(number)
                shares[name].warming.add(number)
            shares[worker].actives.add(number)
        self._give_copies(shares)
        return shares

    def _stand(self, name: str, number: int) -> int:
        return self._members[name].stands.get(number, 0)

    def _near(self, name: str, number: int) -> bool:
        return self._newest[number] - self._stand(name, number) <= NEAR

    def _by_count(self) -> dict[int, str]:
        """Give everybody as many as everybody; who had one keeps it, else who is near gets it."""
        had = self._kept()
        room = self._room({name: len(numbers) for name, numbers in had.items()})
        given: dict[int, str] = {}
        for name, numbers in had.items():
            while len(numbers) > room[name]:
                numbers.remove(max(numbers, key=lambda n: (self._wanted(n, name, had, room), n)))
            given.update(dict.fromkeys(numbers, name))
        loads = {name: len(numbers) for name, numbers in had.items()}
        homeless = [number for number in self._partitions if number not in given]
        for near in (True, False):
            for number in sorted(homeless, key=self._how_many_near):
                free = [name for name in loads if loads[name] < room[name]]
                fit = [name for name in free if self._near(name, number)] if near else free
                if number not in given and fit:
                    given[number] = min(fit, key=lambda name: (loads[name] - room[name], name))
                    loads[given[number]] += 1
        return dict(sorted(given.items()))

    def _kept(self) -> dict[str, set[int]]:
        """Return whose each partition was; of two that claim one, the newer store's."""
        kept: dict[str, set[int]] = {name: set() for name in self._members}
        for number in self._partitions:
            claim = [name for name, member in self._members.items() if number in member.had]
            if claim:
                kept[max(claim, key=lambda name: (self._stand(name, number), name))].add(number)
        return kept

    def _room(self, loads: Mapping[str, int]) -> dict[str, int]:
        """Say how many each gets; the odd ones go to who has most, so that fewest move."""
        least, odd = divmod(len(self._partitions), len(self._members))
        first = sorted(self._members, key=lambda name: (-loads[name], name))[:odd]
        return {name: least + (name in first) for name in self._members}

    def _wanted(
        self, number: int, owner: str, had: Mapping[str, set[int]], room: Mapping[str, int]
    ) -> bool:
        """Tell whether somebody with room could take a partition over at once."""
        return any(
            name != owner and len(had[name]) < room[name] and self._near(name, number)
            for name in self._members
        )

    def _how_many_near(self, number: int) -> int:
        return sum(self._near(name, number) for name in self._members)

    def _stand_in(self, number: int, shares: Mapping[str, Share]) -> str:
        """Choose who works on it until the one to have it is ready; there always is somebody."""
        near = [name for name in self._members if self._near(name, number)]
        return min(
            near,
            key=lambda name: (
                number not in self._members[name].had,
                len(shares[name].actives),
                name,
            ),
        )

    def _give_copies(self, shares: Mapping[str, Share]) -> None:
        most = -(-len(self._partitions) * self._copies // len(self._members))
        copies = dict.fromkeys(self._members, 0)
        for number in self._partitions:
            others = [name for name in self._members if number not in shares[name].actives]
            others.sort(
                key=lambda name: (
                    copies[name] >= most,
                    not (self._stand(name, number) and self._near(name, number)),
                    copies[name],
                    -self._stand(name, number),
                    name,
                )
            )
            for name in others[: self._copies]:
                shares[name].standbys.add(number)
                copies[name] += 1
