"""When a worker asks its group to share out again: once its copies have caught up, and once."""

from pathlib import Path
from types import SimpleNamespace

from app.stream.freshness import Freshness
from app.stream.warming import Warming


class Rig:
    """A worker in generation 7 that warms up partitions 1 and 2, and works on 0."""

    def __init__(self, folder: Path) -> None:
        self.asked = 0
        self.near: set[int] = set()
        self.app = SimpleNamespace(
            assignor=SimpleNamespace(warming=frozenset({1, 2})), rejoin=self._rejoin
        )
        self.assignment = SimpleNamespace(
            generation=7,
            partitions={0: SimpleNamespace(stands_at=50), 4: SimpleNamespace(stands_at=None)},
        )
        copies = {
            1: SimpleNamespace(store=object(), position=11),
            2: SimpleNamespace(store=None, position=0),
        }
        self.fresh = Freshness(folder, 3600.0)
        self.warming = Warming(
            self.app,
            self.assignment,
            SimpleNamespace(copies=copies, near=lambda number: number in self.near),
            self.fresh,
        )

    def _rejoin(self) -> None:
        self.asked += 1


def test_it_asks_when_all_have_caught_up(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.near = {1}
    rig.warming.look()
    assert rig.asked == 0
    rig.near = {1, 2}
    rig.warming.look()
    assert rig.asked == 1


def test_it_asks_once_for_each_generation(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.near = {1, 2}
    rig.warming.look()
    rig.warming.look()
    assert rig.asked == 1
    rig.assignment.generation = None
    rig.warming.look()
    assert rig.asked == 1
    rig.assignment.generation = 8
    rig.warming.look()
    assert rig.asked == 2


def test_without_anything_to_warm_up_it_never_asks(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.near = {1, 2}
    rig.app.assignor.warming = frozenset()
    rig.warming.look()
    assert rig.asked == 0


def test_what_is_open_is_told_where_it_stands(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.warming.look()
    assert rig.fresh.stands() == {0: 50, 1: 11}
