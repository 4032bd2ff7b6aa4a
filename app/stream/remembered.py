"""What a state was made under, kept with the group's committed offsets so that a start can check.

The text goes into the metadata of every offset that a partition commits; the authoritative copy
lies in the changelog beside the state. Written as JSON:

    {"timezone": "UTC", "currency": "VND", "partitions": 8, "topics": ["commerce.purchases"],
     "ladders": {"raving-fan": [1, "4f0c..."]}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from app.errors import LadderChanged, RememberedSettingsDiffer, StartupRefused

DIGEST = 16
"""Characters of a ladder's digest that are remembered: the note has to stay small."""
NOTE_BYTES = 4_000
"""Kafka takes 4,096 bytes beside a committed offset (offset.metadata.max.bytes)."""
START_ANEW = (
    "start anew, with a new LADDER_APP_ID and a LADDER_HANDOVERS and LADDER_CHANGES_PREFIX of its "
    "own (`ladder topics create` makes the topics), and replay the history"
)
"""On the old handovers and stage changes, facts would be united twice and sequences repeated."""
WAY_OUT = f"Put the old value back, or {START_ANEW}."


class Ladder(Protocol):
    """What is remembered of a ladder."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def digest(self) -> str: ...


class Remembered(msgspec.Struct, frozen=True):
    """The settings and ladders a state belongs to. `ladders`: id to (version, digest)."""

    timezone: str
    currency: str
    partitions: int
    topics: tuple[str, ...]
    ladders: dict[str, tuple[int, str]]


def remember(
    timezone: str, currency: str, partitions: int, topics: Sequence[str], ladders: Iterable[Ladder]
) -> Remembered:
    """What a worker with these settings will write."""
    meanings = {ladder.id: (ladder.version, ladder.digest[:DIGEST]) for ladder in ladders}
    return Remembered(timezone, currency, partitions, tuple(topics), dict(sorted(meanings.items())))


def encode(remembered: Remembered) -> str:
    return msgspec.json.encode(remembered).decode()


def note(text: str) -> str:
    """The text as it may lie beside an offset: none at all where it would not fit.

    The changelog's own row has it in any case, and is looked at when a partition is opened.
    """
    return text if len(text.encode()) <= NOTE_BYTES else ""


def decode(text: str) -> Remembered | None:
    """None for an empty text: offsets that somebody else committed into the group."""
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=Remembered)
    except msgspec.DecodeError as error:
        raise StartupRefused(
            "the group's committed offsets carry a note that this version cannot read "
            f"({error}): another program or a newer version uses this LADDER_APP_ID"
        ) from error


def refuse_if_changed(old: Remembered, new: Remembered) -> None:
    """Raises RememberedSettingsDiffer or LadderChanged, naming all that differs.

    Ladders that were added, left out or raised to a new version are refused too, until customers
    can be evaluated anew on start.
    """
    settings = [
        f"LADDER_{name.upper()} is {_written(getattr(new, name))}, "
        f"but the state was made with {_written(getattr(old, name))}"
        for name in ("timezone", "currency", "partitions", "topics")
        if getattr(new, name) != getattr(old, name)
    ]
    if settings:
        raise RememberedSettingsDiffer("\n".join([*settings, WAY_OUT]))
    ladders = list(_changed(old.ladders, new.ladders))
    if ladders:
        raise LadderChanged(
            "\n".join(
                [
                    *ladders,
                    "Customers were evaluated under the old definitions. Put these back, or "
                    f"{START_ANEW}.",
                ]
            )
        )


def _changed(
    old: Mapping[str, tuple[int, str]], new: Mapping[str, tuple[int, str]]
) -> Iterable[str]:
    for name in sorted(old.keys() | new.keys()):
        before, now = old.get(name), new.get(name)
        if before == now:
            continue
        if before is None:
            yield f"ladder {name} is new, and there are customers already"
        elif now is None:
            yield f"ladder {name} is gone, and customers stand on it"
        elif before[0] == now[0]:
            yield f"ladder {name} means something else, and its version is still {now[0]}"
        else:
            yield f"ladder {name} has version {now[0]}; customers were evaluated under {before[0]}"


def _written(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
