"""Cycles that failures leave behind are found although the collector looks rarely."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from app.stream import garbage


class Cycle:
    """Holds itself."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def _rarely() -> Iterator[None]:
    before = gc.get_threshold()
    garbage.tune()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("_rarely")
async def test_cycles_go_in_a_quiet_moment_and_not_while_there_is_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(garbage, "EVERY", 0.0)
    asked = asyncio.Event()
    quiet = False

    def is_quiet() -> bool:
        asked.set()
        return quiet

    gone = weakref.ref(Cycle())
    task = asyncio.create_task(garbage.collect(is_quiet))
    await asked.wait()
    assert gone() is not None
    quiet = True
    async with asyncio.timeout(10):
        while gone() is not None:  # noqa: ASYNC110 (nobody tells when a cycle goes)
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
