"""The row that a partition keeps beside its customers: under what it was made, where it stands.

It lies in the changelog with the batch that it belongs to, so it comes back with the state.
"""

from collections import Counter

import msgspec

from app.core.change import Change
from app.errors import StartupRefused

KEY = b"m"
VERSION = 1

Cut = tuple[int, int, int]
"""Percent, days and the cut in base minor units of one `top_spender(percent, days)`."""


class Meta(msgspec.Struct, array_like=True):
    """`clock` in µs; `positions` by topic; `customers` by ladder and rung; `cuts` by day."""

    version: int = VERSION
    remembered: str = ""
    clock: int = 0
    positions: dict[str, int] = {}
    customers: dict[str, dict[str, int]] = {}
    cut_day: int | None = None
    cuts: dict[int, list[Cut]] = {}

    def count(self, changes: list[Change]) -> None:
        """Move customers from rung to rung."""
        moves: Counter[tuple[str, str]] = Counter()
        for change in changes:
            if change.from_ is not None:
                moves[change.ladder, change.from_] -= 1
            if change.to is not None:
                moves[change.ladder, change.to] += 1
        for (ladder, rung), number in moves.items():
            rungs = self.customers.setdefault(ladder, {})
            rungs[rung] = rungs.get(rung, 0) + number


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
