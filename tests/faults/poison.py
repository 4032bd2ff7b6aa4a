"""Bad records of every kind between good ones, in all topics."""

from __future__ import annotations

import dataclasses

from app.core.instants import format_instant
from tests.faults.bad_records import bad_records
from tests.faults.load import DAYS, EVENTS
from tests.faults.ordeal import Ordeal
from tests.faults.tale import Chapter, Told


def with_poison(shop: Ordeal) -> Chapter:
    """A chapter of one topic, and bad records of every kind in all of them."""
    trial = shop.trial
    chapter = trial.tale.chapter(EVENTS, DAYS, bad=False, rest=1)
    told = [dataclasses.replace(one, lane=0) for one in chapter.told]
    name = f"poison-{len(trial.reckoning.told)}"
    time = format_instant(chapter.until)
    for lane in range(len(shop.fleet.settings.topics)):
        for one in bad_records(f"{name}-{lane}", time, trial.tale.partitions):
            told.insert(trial.tale.chance.randrange(len(told) + 1), Told(lane, **one))
    return Chapter(told, chapter.until)
