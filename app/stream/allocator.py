"""What is asked of the C library's allocator, where it is glibc: to keep less than it would.

It gives each thread an arena of its own and keeps what is freed there. RocksDB allocates in some
threads and frees in others, so the arenas together would hold several times what is in use.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_ARENA_MAX = -8
_ARENAS = 2


def share_arenas() -> None:
    """Let all threads share two arenas; to be called before there are many threads."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return to the system what is free: after much was read in that is not needed any more."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
