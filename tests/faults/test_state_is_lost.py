"""Fault 6: the data folder is full, read-only, deleted, damaged, or of a newer version."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from app.stream.shared import Shared
from app.stream.store import STANDING, Standing, Store
from app.wire.record import HOT, VERSION
from tests.faults.conftest import Begin
from tests.faults.rest import until
from tests.faults.test_stores import tables

pytestmark = pytest.mark.slow
SIZE = "48m"
CHUNK = 64 << 10


@contextmanager
def small_disk(folder: Path, options: str = "rw") -> Iterator[None]:
    """A file system of its own in the folder; skips by name where none may be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},{options}", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.skip(f"only who may mount can fill a disk: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Write until nothing more goes in."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"\xff" * CHUNK) == CHUNK:
            pass
    return ballast


async def test_fault_6_the_disk_is_full(begin: Begin) -> None:
    """It says so and waits; when there is room again it goes on."""
    shop = await begin("6 disk full", partitions=2)
    fleet = shop.fleet
    with small_disk(fleet.folder / "data-0"):
        worker = fleet.start(0)
        await fleet.ready()
        try:
            async with shop.under_load() as events:
                await events.reaches(200)
                ballast = fill(worker.folder)

                async def says_so() -> bool:
                    return "No space left" in worker.log.read_text(errors="replace")

                await until(lambda: f"it says that the disk is full\n{worker.tail()}", says_so)
                await events.reaches(200)
                ballast.unlink()
                await shop.recovered("room on the disk again")
            assert worker.runs
            await shop.conclude()
        finally:
            fleet.kill()


async def test_fault_6_the_data_folder_is_read_only(begin: Begin) -> None:
    shop = await begin("6 data folder read-only", partitions=2)
    fleet = shop.fleet
    with small_disk(fleet.folder / "data-0", "ro"):
        worker = fleet.start(0)
        assert await worker.ended() == 1
        assert "LADDER_DATA_DIR" in worker.tail()
        assert "Traceback" not in worker.tail()
    fleet.members.remove(worker)
    fleet.start(0)
    await fleet.ready()
    async with shop.under_load() as events:
        await events.reaches(200)
    await shop.conclude()


async def test_fault_6_the_data_folder_is_deleted_while_it_is_used(begin: Begin) -> None:
    """What a worker holds open it may go on with; the next one builds everything anew."""
    shop = await begin("6 data folder deleted", partitions=2)
    fleet = shop.fleet
    worker = fleet.start(0)
    await fleet.ready()
    async with shop.under_load() as events:
        await events.reaches(300)
        shutil.rmtree(worker.folder)
        await events.reaches(300)
        await shop.recovered("the folder was deleted")
        began = time.monotonic()
        worker.signal(signal.SIGKILL)
        await worker.ended()
        fleet.start(0)
        await shop.recovered("a start without it", began)
    await shop.conclude()


async def test_fault_6_tables_are_cut_short_while_they_are_used(begin: Begin) -> None:
    shop = await begin("6 truncated tables", partitions=2)
    fleet = shop.fleet
    worker = fleet.start(0)
    await fleet.ready()
    async with shop.under_load() as events:
        await events.reaches(300)
        await worker.stop()  # which writes tables
        worker = fleet.start(0)
        await fleet.ready()
        for number in range(fleet.settings.partitions):
            for table in tables(worker.folder / str(number)):
                os.truncate(table, table.stat().st_size // 2)
        await events.reaches(300)
        await shop.recovered("tables were cut short")
        began = time.monotonic()
        worker.signal(signal.SIGKILL)
        await worker.ended()
        fleet.start(0)
        await shop.recovered("a start with such tables", began)
    await shop.conclude()


async def test_fault_6_a_store_of_a_newer_version(begin: Begin) -> None:
    """A newer store is refused with the way out; a newer row of an old store comes anew."""
    shop = await begin("6 newer store", partitions=2)
    fleet = shop.fleet
    worker = fleet.start(0)
    await fleet.ready()
    async with shop.under_load() as events:
        await events.reaches(300)
        await shop.recovered("some events")
        await worker.stop()
        of_newer_rows(worker.folder / "0")
        of_newer_layout(worker.folder / "1", by=1)
        refused = fleet.start(0)
        assert await refused.ended() == 1
        assert "newer version" in refused.tail()
        assert "LADDER_APP_ID" in refused.tail()
        assert "Traceback" not in refused.tail()
        fleet.members.remove(refused)
        of_newer_layout(worker.folder / "1", by=-1)
        fleet.start(0)
        await events.reaches(200)
        await shop.recovered("the newer store was taken away")
    await shop.conclude()


def of_newer_layout(path: Path, by: int) -> None:
    store = Store(path, Shared(8 << 20, 8 << 20))
    value = store.get([STANDING])[0]
    assert value is not None
    layout, *rest = msgspec.msgpack.decode(value)
    standing = Standing(layout + by, *rest)
    store.write((), standing)
    store.close()


def of_newer_rows(path: Path) -> None:
    store = Store(path, Shared(8 << 20, 8 << 20))
    rows = store.scan(HOT, HOT + b"\xff", 1_000)
    assert rows
    newer = bytes([VERSION + 1])
    store.write([(key, newer + value[1:]) for key, value in rows], None)
    store.close()
