"""Remembered things by id: their two parts, what is forgotten, what is found."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.core.book import ID_BYTES, RECENT, Book, Older, find, hash_id
from app.core.customer import Order, Orders, Seen


def key(number: int) -> bytes:
    return hash_id(f"o{number}")


def order(number: int, **more: Any) -> Order:
    return Order(number, 100 + number, 1, **more)


def orders(count: int, first: int = 0) -> Orders:
    book = Orders()
    for number in range(first, first + count):
        book.add(key(number), order(number))
    return book


def test_an_id_is_found_only_where_one_begins() -> None:
    ids = b"A" * 8 + b"B" * 16 + b"C" * 8
    assert find(ids, b"B" * 16) == -1
    assert find(b"x" * 16 + b"B" * 16, b"B" * 16) == 1
    assert find(b"B" * 16 + b"x" * 16, b"B" * 16, 1) == -1
    assert find(b"a" * 15 + b"b" + b"a" * 15 + b"b" * 17, b"b" * 16) == 2


def test_an_id_in_any_writing_has_16_bytes_of_its_own() -> None:
    ids = ["a", "b", "", "Ngọc", "\ud800", "a" * 256]
    assert {len(hash_id(id)) for id in ids} == {ID_BYTES}
    assert len({hash_id(id) for id in ids}) == len(ids)


def test_the_recent_move_to_the_older_part_when_one_more_comes() -> None:
    book = orders(RECENT)
    assert len(book.ids) == RECENT * ID_BYTES
    book.add(key(RECENT), order(RECENT))
    assert book.older is not None
    assert (len(book.ids), len(book.older.ids)) == (ID_BYTES, RECENT * ID_BYTES)
    assert book.contents() == [(key(number), order(number)) for number in range(RECENT + 1)]


def test_beyond_the_limit_the_oldest_is_forgotten_and_told() -> None:
    book = orders(512)
    assert key(0) in book
    assert book.add(key(512), order(512)) == order(0)
    assert key(0) not in book
    assert book.get(key(0)) is None
    assert (len(book), book.skip) == (512, 1)
    assert book.add(key(513), order(513)) == order(1)
    assert [number for number in range(514) if key(number) in book] == list(range(2, 514))


def test_what_is_forgotten_is_cut_off_when_the_recent_move() -> None:
    book = orders(512 + 3 * RECENT)
    assert 0 <= book.skip <= RECENT
    assert book.older is not None
    assert len(book.older.ids) <= (512 + RECENT) * ID_BYTES
    assert len(book) == 512


@pytest.mark.parametrize("number", [3, 500, 513])
def test_an_order_is_changed_in_either_part_while_others_are_forgotten(number: int) -> None:
    book = orders(514)
    assert book.skip == 2
    changed = order(number, void=True)
    book.replace(key(number), changed)
    assert book.get(key(number)) == changed
    assert [entry for _, entry in book.contents()] == [
        changed if other == number else order(other) for other in range(2, 514)
    ]


@pytest.mark.parametrize("number", [2, 300, 513])
def test_an_order_is_removed_from_either_part_while_others_are_forgotten(number: int) -> None:
    book = orders(514)
    book.remove(key(number))
    assert key(number) not in book
    assert len(book) == 511
    assert book.keys() == [key(other) for other in range(2, 514) if other != number]
    assert book.add(key(600), order(600)) is None


def test_a_change_in_the_older_part_marks_it_as_to_be_written() -> None:
    book = orders(RECENT + 1)
    assert book.older is not None
    book.older.changed = False
    book.replace(key(RECENT), order(RECENT, void=True))
    assert not book.older.changed
    book.replace(key(0), order(0, void=True))
    assert book.older.changed


def test_bare_ids_are_forgotten_without_a_word() -> None:
    seen = Seen()
    for number in range(256):
        assert seen.add(key(number)) is None
    assert key(0) in seen
    assert seen.add(key(256)) is None
    assert key(0) not in seen
    assert len(seen) == 256


class Small(Book[Order], array_like=True, gc=False):
    limit: ClassVar[int] = 20
    decode: ClassVar[Any] = msgspec.msgpack.Decoder(list[Order])


class Beside(RuleBasedStateMachine):
    """A book with a small limit beside a list that is searched."""

    @initialize(count=st.integers(0, 45))
    def begin(self, count: int) -> None:
        self.book: Book[Order] = Small()
        self.model: list[tuple[bytes, Order]] = []
        self.number = 0
        for _ in range(count):
            self.add()

    @rule()
    def add(self) -> None:
        self.number += 1
        forgotten = self.book.add(key(self.number), order(self.number))
        self.model.append((key(self.number), order(self.number)))
        assert forgotten == (self.model.pop(0)[1] if len(self.model) > 20 else None)

    @rule(back=st.integers(0, 30))
    def insert(self, back: int) -> None:
        self.number += 1
        late = Order(max(0, self.number - back), self.number, 7)
        forgotten = self.book.insert(key(self.number), late, lambda other: other.day)
        self.model.append((key(self.number), late))
        self.model.sort(key=lambda item: item[1].day)
        assert forgotten == (self.model.pop(0)[1] if len(self.model) > 20 else None)

    @rule(at=st.integers(0, 19), units=st.integers(2, 9))
    def replace(self, at: int, units: int) -> None:
        if self.model:
            id, entry = self.model[at % len(self.model)]
            changed = Order(entry.day, entry.amount, units)
            self.book.replace(id, changed)
            self.model[at % len(self.model)] = (id, changed)

    @rule(at=st.integers(0, 19))
    def remove(self, at: int) -> None:
        if self.model:
            self.book.remove(self.model.pop(at % len(self.model))[0])

    @rule()
    def store(self) -> None:
        older = self.book.older
        self.book.older = None
        self.book = msgspec.msgpack.decode(msgspec.msgpack.encode(self.book), type=Small)
        self.book.older = Older(older.ids, older.entries) if older else None

    @rule()
    def fill(self) -> None:
        self.book.fill(self.book.contents())

    @invariant()
    def they_agree(self) -> None:
        if hasattr(self, "model"):
            assert len(self.book) == len(self.model)
            assert [self.book.get(id) for id, _ in self.model] == [o for _, o in self.model]
            known = {id for id, _ in self.model}
            for number in range(1, self.number + 1):
                assert (key(number) in self.book) == (key(number) in known)


TestBeside = Beside.TestCase
TestBeside.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
