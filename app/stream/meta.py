"""The row that a partition keeps beside its customers: under what it was made, where it stands.

It lies in the changelog with the batch that it belongs to, so it comes back with the state. It is
MessagePack; a cut beyond 64 bits makes it one of version 2 (`app.core.sums`).
"""

from collections import Counter

import msgspec
from msgspec.structs import replace

from app.core import sums
from app.core.change import Cause
from app.errors import StartupRefused

KEY = b"m"
VERSION = 1
WIDE = 2
"""The version of a row with a cut beyond 64 bits, and the newest that is read."""

Cut = tuple[int, int, int]
"""Percent, days and the cut in base minor units of one `top_spender(percent, days)`."""


Moves = Counter[tuple[str, str | None, str | None, Cause]]
"""How many stage changes there were by ladder, rung left, rung entered and cause."""


class Meta(msgspec.Struct, array_like=True):
    """`clock` in µs; `positions` by topic; `customers` by ladder and rung; `cuts` by day.

    `cuts` are those of the newest days; the first that were ever taken are those of `cut_first`.
    """

    version: int = VERSION
    remembered: str = ""
    clock: int = 0
    positions: dict[str, int] = {}
    customers: dict[str, dict[str, int]] = {}
    cut_day: int | None = None
    cuts: dict[int, list[Cut]] = {}
    cut_first: int | None = None

    def count(self, moves: Moves) -> None:
        """Move customers from rung to rung."""
        for (ladder, left, entered, _), number in moves.items():
            rungs = self.customers.setdefault(ladder, {})
            if left is not None:
                rungs[left] = rungs.get(left, 0) - number
            if entered is not None:
                rungs[entered] = rungs.get(entered, 0) + number


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Meta).decode


class _Head(msgspec.Struct, array_like=True):
    version: int


_head = msgspec.msgpack.Decoder(_Head).decode


def write(meta: Meta) -> bytes:
    meta.version = VERSION
    try:
        return _encode(meta)
    except OverflowError:
        cuts = {
            day: [(*top, sums.packed(cut)) for *top, cut in cuts] for day, cuts in meta.cuts.items()
        }
        return _encode(replace(meta, version=WIDE, cuts=cuts))


def read(value: bytes | None) -> Meta:
    """Read the row, or make one for a partition that has none yet; raises StartupRefused."""
    if value is None:
        return Meta()
    try:
        version = _head(value).version
        meta = sums.unpacked(value, Meta) if version == WIDE else _decode(value)
    except msgspec.MsgspecError as error:
        raise StartupRefused(f"the changelog's own row cannot be read: {error}") from error
    if version > WIDE:
        raise StartupRefused(
            f"the changelog was written by a newer version of Loyalty Ladder ({version}, this "
            f"reads {WIDE}): start that one again, or take a new LADDER_APP_ID and replay "
            "(docs/operating.md says how)"
        )
    return meta
