"""Holds what a fleet published and keeps to what a backtest of the same tale comes to."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from aiokafka.structs import ConsumerRecord

from app.stream.shared import Shared
from app.stream.store import STANDING, Standing, Store
from app.wire.stage_change import HEADERS
from tests.faults.fleet import Fleet, Place
from tests.faults.reckoning import Reckoning, View
from tests.faults.tale import Chapter, Tale

OURS = ("__streams.errors.", "loyalty.reason")
By = dict[tuple[str, str], list[View]]


@dataclass
class Trial:
    """A tale, told to a fleet and to a backtest. `compared` counts what was held together."""

    fleet: Fleet
    tale: Tale
    reckoning: Reckoning
    places: list[Place] = field(default_factory=list)
    compared: Counter[str] = field(default_factory=Counter)

    async def tell(self, chapter: Chapter) -> None:
        """Send a chapter, and then to every partition that its time is over."""
        self.reckoning.follow(chapter)
        self.places += await self.fleet.send(chapter.told)
        await self.end_chapter()

    async def end_chapter(self) -> None:
        await self.fleet.send_to_all(self.reckoning.clock_event())

    async def at_rest(self) -> None:
        """Wait until everything told, and all that follows from it, is published.

        A worker says how far it is a moment after it committed. So the clocks are moved once more:
        when that is committed, too, it has said what was so before it.
        """
        await self.fleet.applied()
        await self.end_chapter()
        await self.fleet.applied()
        await self.fleet.nothing_due()

    async def check(self) -> None:
        """Everything that is promised, when the fleet is at rest."""
        await self.fleet.settled()
        published = await self._published()
        check_sequences(published)
        self._check_changes(published)
        await self._check_customers(published)
        check_letters(self, await self.fleet.read(self.fleet.settings.dead_letters))
        self.compared["checks"] += 1

    async def _published(self) -> By:
        prefix = self.fleet.settings.changes_prefix
        by: defaultdict[tuple[str, str], list[View]] = defaultdict(list)
        for record in await self.fleet.read(*(f"{prefix}.{one}" for one in self.fleet.ladders)):
            change = json.loads(record.value)
            ladder = change["data"]["ladder"]
            assert record.key == change["subject"].encode()
            assert record.topic == f"{prefix}.{ladder}"
            assert [*record.headers] == [*HEADERS]
            by[ladder, change["subject"]].append(change)
        return dict(by)

    def _check_changes(self, published: By) -> None:
        """Whom no handover concerns: exactly the changes of the backtest, in their order."""
        alone = self.tale.people("alone")
        assert not self.reckoning.backtest.addressed & {*alone}
        wanted = self.reckoning.changes(alone)
        tops = self.reckoning.top_ladders
        found = {place for place in published if place[1] in alone and place[0] not in tops}
        assert found == {*wanted}
        for place, changes in wanted.items():
            assert published[place] == changes, (place, differing(published[place], changes))
        self.compared["changes"] += sum(map(len, wanted.values()))

    async def _check_customers(self, published: By) -> None:
        views = self.reckoning.views()
        known = {customer for _, customer in published} | {*views}
        for customer in sorted(known):
            found = await self.fleet.view(customer)
            circle = customer.rpartition("-")[0]
            survivor = customer if circle == "alone" else self.reckoning.survivor(customer)
            wanted = views.get(survivor)
            if circle == "alone":
                assert self._kept(found) == self._kept(wanted), customer
            elif circle in ("friends", "families"):
                assert facts(found) == facts(wanted), (customer, odd(found, wanted))
            if found is not None and "merged_into" in found:
                found = None
            check_standing(published, self.fleet.ladders, customer, found)
            self.compared["customers"] += 1

    def _kept(self, view: View | None) -> View | None:
        """A view without what the cut of top_spender decides, and the time of day."""
        if view is None:
            return None
        tops = self.reckoning.top_ladders
        ladders = {id: on for id, on in view["ladders"].items() if id not in tops}
        kept = {**view, "facts": facts(view), "ladders": ladders}
        if self.fleet.settings.clock == "wall":
            kept.pop("as_of")
        return kept

    async def check_stores(self) -> None:
        """Every store on disk is what the changelog was when it stood there; workers have ended."""
        assert not self.fleet.running
        changelog = await self.fleet.read(self.fleet.settings.changelog)
        for path in sorted(self.fleet.folder.glob("data-*/[0-9]*")):
            if path.name.isdigit():
                check_store(path, int(path.name), changelog)
                self.compared["stores"] += 1


def check_store(path: Path, number: int, changelog: Sequence[ConsumerRecord]) -> None:
    """Check a store against the changelog up to where it stands.

    Of a store that was left long ago the changelog may have forgotten rows, by compaction: those
    of keys that were written again after it.
    """
    store = Store(path, Shared(8 << 20, 8 << 20))
    try:
        standing = store.standing()
        if standing is None:
            return
        rows = dict(store.scan(b"\x01", b"\xff", 10_000_000))
    finally:
        store.close()
    logged: dict[bytes, bytes | None] = {}
    later: set[bytes] = set()
    for record in changelog:
        if record.partition == number and record.offset < standing.offset:
            logged[record.key] = record.value
        elif record.partition == number:
            later.add(record.key)
    forgotten = {key: rows[key] for key in rows.keys() - logged.keys() if key in later}
    there = {key: value for key, value in logged.items() if value is not None}
    assert rows == there | forgotten, f"{path}, {standing}: {_unlike(rows, there | forgotten)}"


def _unlike(rows: Mapping[bytes, bytes], wanted: Mapping[bytes, bytes]) -> str:
    return (
        f"{len(rows.keys() - wanted.keys())} rows too many, "
        f"{len(wanted.keys() - rows.keys())} missing, "
        f"{sum(rows[key] != wanted[key] for key in rows.keys() & wanted.keys())} others"
    )


def age(path: Any, seconds: int) -> None:
    """Let a closed store believe that it was written so long ago."""
    store = Store(path, Shared(8 << 20, 8 << 20))
    try:
        standing = store.standing()
        assert standing is not None
        old = Standing(
            standing.layout, standing.changelog, standing.partition, standing.partitions,
            standing.offset, standing.written_at - seconds * 1_000_000,
        )  # fmt: skip
        store.write((), old)
        assert store.get([STANDING]) != [None]
    finally:
        store.close()


def differing(found: list[View], wanted: list[View]) -> Any:
    """The first change that is not the same in both."""
    for pair in zip_longest(found, wanted):
        if pair[0] != pair[1]:
            return pair
    return None


def facts(view: View | None) -> View | None:
    if view is None:
        return None
    return {name: value for name, value in view["facts"].items() if "top_spender" not in name}


def odd(found: View | None, wanted: View | None) -> Any:
    """The facts that are not the same in both."""
    ours, theirs = facts(found) or {}, facts(wanted) or {}
    names = sorted({*ours, *theirs})
    pairs = {name: (ours.get(name), theirs.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def check_sequences(published: By) -> None:
    """Each life of a customer on a ladder: 1, 2, 3 ..., each change beginning where one ended."""
    for (ladder, customer), changes in published.items():
        count, life, rung = 0, "", None
        for change in changes:
            data = change["data"]
            head, _, ending = change["id"].partition(f"/{data['sequence']}")
            assert head == f"{ladder}/{customer}", change
            if ending != life:
                assert rung is None, change
                count, life = 0, ending
            count += 1
            assert (data["sequence"], data["from"]) == (count, rung), (change, changes)
            assert data["from"] != data["to"], change
            rung = data["to"]


def check_standing(published: By, ladders: list[str], customer: str, view: View | None) -> None:
    """The changes of a customer fold to the rungs in the record; who has none stands nowhere."""
    for ladder in ladders:
        changes = published.get((ladder, customer), [])
        last = changes[-1]["data"] if changes else {"to": None, "sequence": 0}
        if view is None:
            assert last["to"] is None, (ladder, customer, last)
            continue
        on = view["ladders"][ladder]
        assert on["rung"] == last["to"], (ladder, customer, on, last)
        if last["to"] is not None:
            assert on["sequence"] == last["sequence"], (ladder, customer)


def check_letters(trial: Trial, letters: list[ConsumerRecord]) -> None:
    """Each refused record is there once, as it was, with its reason and its place."""
    places = {place: number for number, place in enumerate(trial.places)}
    found: dict[int, tuple[Any, ...]] = {}
    for letter in letters:
        told = {name: value for name, value in letter.headers if name.startswith(OURS)}
        place = (
            told["__streams.errors.topic"].decode(),
            int(told["__streams.errors.partition"]),
            int(told["__streams.errors.offset"]),
        )
        number = places[place]
        assert number not in found, f"twice: {place}"
        rest = tuple(header for header in letter.headers if not header[0].startswith(OURS))
        found[number] = (told["loyalty.reason"].decode(), letter.key, letter.value, rest)
        assert letter.partition == place[1]
    wanted = {
        number: (letter.reason, letter.key, letter.value, letter.headers)
        for number, letter in trial.reckoning.letters.items()
    }
    unsure = {number for number in {*found, *wanted} if crowded(trial, number)}
    for number in sorted({*found, *wanted} - unsure):
        assert found.get(number) == wanted.get(number), (found.get(number), wanted.get(number))
    trial.compared["dead letters"] += len({*wanted} - unsure)


def crowded(trial: Trial, number: int) -> bool:
    """In the crowd a refund may overtake a merge, and then be of an order that nobody knows."""
    return (trial.reckoning.told[number].key or b"").startswith(b"crowd-")
