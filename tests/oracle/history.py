"""Where a customer stood: the stage changes fold to the rungs at any instant (section 10)."""

from __future__ import annotations

from typing import Any

from .clock import parse_time

Change = dict[str, Any]
Track = tuple[str, int, str]
"""One customer id, the how-manieth record of it, one ladder."""


def track_of(change: Change) -> Track:
    """A ladder's id has no slash, so what follows the sequence is the ending of the record."""
    who, ladder, sequence = (change["subject"], *of(change, "ladder", "sequence"))
    ending = change["id"].removeprefix(f"{ladder}/{who}/{sequence}")
    return who, int(ending.removeprefix("/r") or 1), ladder


def of(change: Change, *names: str) -> list[Any]:
    return [change["data"][name] for name in names]


def tracks_of(changes: list[Change]) -> dict[Track, list[Change]]:
    """The changes of each customer's record on each ladder, in the order of their sequences."""
    found: dict[Track, list[Change]] = {}
    for change in sorted(changes, key=lambda each: each["data"]["sequence"]):
        found.setdefault(track_of(change), []).append(change)
    return dict(sorted(found.items()))


def rungs_at(changes: list[Change], customer: str, instant: int) -> dict[str, str | None]:
    """The rung on each ladder that this customer had ever entered by then.

    Who was erased and came back is judged by the record that is newest at that instant.
    """
    rungs: dict[str, str | None] = {}
    for (who, _, ladder), told in tracks_of(changes).items():
        if who != customer:
            continue
        for change in told:
            if (parse_time(change["time"]) or 0) <= instant:
                rungs[ladder] = change["data"]["to"]
    return rungs
