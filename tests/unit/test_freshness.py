"""Where the stores stand, as it is told to the group and noted for the next start."""

from pathlib import Path

from app.stream.freshness import FILE, SAVE_SECONDS, Freshness

LASTING = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def stores(folder: Path, *numbers: int) -> None:
    for number in numbers:
        (folder / str(number)).mkdir()


def test_what_was_noted_is_known_after_a_restart(tmp_path: Path) -> None:
    stores(tmp_path, 0, 3)
    before = Freshness(tmp_path, LASTING)
    before.note({0: 10, 3: 30})
    before.note({3: 40})
    before.save()
    assert Freshness(tmp_path, LASTING).stands() == {0: 10, 3: 40}


def test_it_is_noted_every_few_seconds_for_a_worker_may_be_killed(tmp_path: Path) -> None:
    stores(tmp_path, 0)
    clock = Clock()
    fresh = Freshness(tmp_path, LASTING, clock)
    fresh.note({0: 1})
    clock.now += SAVE_SECONDS / 2
    fresh.note({0: 2})
    assert Freshness(tmp_path, LASTING, clock).stands() == {0: 1}
    clock.now += SAVE_SECONDS
    fresh.note({0: 3})
    assert Freshness(tmp_path, LASTING, clock).stands() == {0: 3}


def test_a_store_that_is_gone_stands_nowhere(tmp_path: Path) -> None:
    stores(tmp_path, 0)
    fresh = Freshness(tmp_path, LASTING)
    fresh.note({0: 10, 1: 20})
    fresh.save()
    assert Freshness(tmp_path, LASTING).stands() == {0: 10}


def test_a_store_too_old_to_be_continued_is_not_told_of(tmp_path: Path) -> None:
    clock = Clock()
    fresh = Freshness(tmp_path, LASTING, clock)
    fresh.note({0: 10})
    clock.now += LASTING - 1
    fresh.note({1: 20})
    clock.now += 2
    assert fresh.stands() == {1: 20}


def test_a_note_that_cannot_be_read_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"{nonsense")
    assert Freshness(tmp_path, LASTING).stands() == {}
