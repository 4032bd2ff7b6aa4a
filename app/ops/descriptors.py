"""File descriptors: every socket and every open file of the store takes one.

Shells give 1,024 to start with, and let a process take more by itself.
"""

from __future__ import annotations

import resource
from contextlib import suppress

WANTED = 65_536
"""Enough for any worker; a million would only make each start of a child slower."""
ELSEWHERE = 10_240
"""macOS gives no more, whatever its hard limit says."""


def take() -> None:
    """Raise the soft limit as far as is of use and the hard one lets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (WANTED, ELSEWHERE):
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= most:
            return
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return


def limit() -> int:
    """Return how many this process may have at once."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if soft == resource.RLIM_INFINITY else soft
