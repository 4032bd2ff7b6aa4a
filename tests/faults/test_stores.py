"""Stores of every kind at a start: a worker goes on with what is good, and rebuilds the rest."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from app.stream.topics import TOMBSTONE_RETENTION_DAYS
from tests.faults.setting_up import trial
from tests.faults.verdict import Trial, age
from tests.kafka.broker import Kafka

HALF = TOMBSTONE_RETENTION_DAYS * 86_400 // 2
BROKEN, FAILED = "store is broken, rebuilding it", "store failed, rebuilding it"
TOO_OLD = "store cannot be continued, rebuilding it"


def warm(store: Path, older: Path) -> None:
    """As the worker left it."""


def cold(store: Path, older: Path) -> None:
    shutil.rmtree(store)


def from_an_older_offset(store: Path, older: Path) -> None:
    shutil.rmtree(store)
    shutil.copytree(older, store)


def older_than_deletions_are_kept(store: Path, older: Path) -> None:
    from_an_older_offset(store, older)
    age(store, HALF + 60)


def nonsense_for_current(store: Path, older: Path) -> None:
    (store / "CURRENT").write_bytes(b"nonsense")


def nonsense_for_a_manifest(store: Path, older: Path) -> None:
    for file in store.glob("MANIFEST-*"):
        file.write_bytes(b"nonsense" * 100)


def tables_cut_short(store: Path, older: Path) -> None:
    for file in tables(store):
        file.write_bytes(file.read_bytes()[:-100])


def tables_with_flipped_bits(store: Path, older: Path) -> None:
    for file in tables(store):
        content = file.read_bytes()
        file.write_bytes(bytes(byte ^ 0x55 for byte in content[:-60]) + content[-60:])


def tables(store: Path) -> list[Path]:
    found = sorted(store.glob("*.sst"))
    assert found, f"{store} has no table to spoil: {sorted(store.iterdir())}"
    return found


KINDS: list[tuple[Callable[[Path, Path], None], tuple[str, ...]]] = [
    (warm, ()),
    (cold, ()),
    (from_an_older_offset, ()),
    (older_than_deletions_are_kept, (TOO_OLD,)),
    (nonsense_for_current, (BROKEN,)),
    (nonsense_for_a_manifest, (BROKEN,)),
    (tables_cut_short, (BROKEN,)),
    (tables_with_flipped_bits, (BROKEN, FAILED)),
]
"""What is done to the store of each partition, and which of these the log has to say of it."""


@pytest.fixture
async def shop(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Trial]:
    made = await trial(kafka.bootstrap, unique, tmp_path, seed=4, partitions=len(KINDS))
    yield made
    made.fleet.kill()
    print(dict(made.compared))


async def chapter(shop: Trial) -> list[dict[str, Any]]:
    """A worker takes the next chapter in and ends; gives what it said."""
    await shop.tell(shop.tale.chapter(500, 30, bad=False))
    worker = shop.fleet.start()
    await shop.at_rest()
    await shop.check()
    await worker.stop()
    await shop.check_stores()
    return worker.said()


async def test_a_restart_finds_the_same_whatever_became_of_the_stores(shop: Trial) -> None:
    await chapter(shop)
    data = shop.fleet.folder / "data-0"
    shutil.copytree(data, shop.fleet.folder / "older")
    await chapter(shop)
    for number, (spoil, _) in enumerate(KINDS):
        spoil(data / str(number), shop.fleet.folder / "older" / str(number))
    said = await chapter(shop)
    for number, (spoil, expected) in enumerate(KINDS):
        about = [line["event"] for line in said if is_about(line, data / str(number), number)]
        assert bool(about) == bool(expected), (spoil.__name__, about)
        assert {*about} <= {*expected}, (spoil.__name__, about)
    again = await chapter(shop)
    assert not [line for line in again if line.get("event") in (BROKEN, FAILED, TOO_OLD)]


def is_about(line: dict[str, Any], store: Path, number: int) -> bool:
    """A line of the log that says of this store that it is built anew."""
    if line.get("event") not in (BROKEN, FAILED, TOO_OLD):
        return False
    return line.get("store") == str(store) or line.get("moved_to") == f"{store}.broken"
