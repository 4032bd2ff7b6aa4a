"""The store of a partition that left is kept for a while, then deleted."""

from collections.abc import Collection
from pathlib import Path

import pytest

from app.stream.leftovers import KEPT_SECONDS, Leftovers


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 0.0
        self.used: Collection[int] | None = {0}
        for name in ("0", "1", "1.broken"):
            (folder / name).mkdir()
        (folder / "worker.lock").touch()
        self.leftovers = Leftovers(folder, lambda: self.used, lambda: self.now)
        self.leftovers.look()

    def after(self, seconds: float) -> set[str]:
        self.now += seconds
        self.leftovers.look()
        return {each.name for each in self.folder.iterdir()}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_what_nobody_used_for_long_is_deleted_and_nothing_else(rig: Rig) -> None:
    assert rig.after(KEPT_SECONDS - 1) == {"0", "1", "1.broken", "worker.lock"}
    assert rig.after(2) == {"0", "worker.lock"}


def test_what_came_back_meanwhile_stays(rig: Rig) -> None:
    rig.after(KEPT_SECONDS - 1)
    rig.used = {0, 1}
    rig.after(10)
    rig.used = {0}
    assert "1" in rig.after(KEPT_SECONDS - 1)


def test_while_nobody_knows_what_is_used_nothing_is_deleted(rig: Rig) -> None:
    rig.used = None
    assert "1" in rig.after(2 * KEPT_SECONDS)
