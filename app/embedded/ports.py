"""Ports of loopback for what is started here and now."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

_CANDIDATES = range(10_000, 32_000)
"""Below those that systems give to outgoing connections: one of these would be taken by somebody's
client between the moment it was found free and the moment a server listens on it."""


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on at this moment, all different.

    Raises OSError when there are not so many.
    """
    found: list[int] = []
    with ExitStack() as held:
        for port in random.sample(_CANDIDATES, len(_CANDIDATES)):
            if len(found) == count:
                return found
            trial = held.enter_context(socket.socket())
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    raise OSError(f"fewer than {count} of the ports {_CANDIDATES[0]} to {_CANDIDATES[-1]} are free")
