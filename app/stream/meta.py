"""The row that a partition keeps beside its customers: under what it was made, where it stands.

It lies in the changelog with the batch that it belongs to, so it comes back with the state.
"""

from collections import Counter

import msgspec

from app.core.change import Cause
from app.errors import StartupRefused

KEY = b"m"
VERSION = 1

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


def write(meta: Meta) -> bytes:
    return _encode(meta)


def read(value: bytes | None) -> Meta:
    """Read the row, or make one for a partition that has none yet; raises StartupRefused."""
    if value is None:
        return Meta()
    try:
        meta = _decode(value)
    except msgspec.MsgspecError as error:
        raise StartupRefused(f"the changelog's own row cannot be read: {error}") from error
    if meta.version > VERSION:
        raise StartupRefused(
            f"the changelog was written by a newer version of Loyalty Ladder ({meta.version}, this "
            f"reads {VERSION}): start that one again, or take a new LADDER_APP_ID and replay "
            "(docs/operating.md says how)"
        )
    return meta
