"""What one worker has for itself on its machine: a listening socket and a data folder."""

from __future__ import annotations

import errno
import fcntl
import re
import shlex
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.errors import DataFolderTaken, PortTaken, StartupRefused
from app.ops.folders import make_private
from app.settings import Settings

LOCK = "worker.lock"
OURS = re.compile(r"worker\.lock|stands(\.new)?|[0-9]+(\..+)?|broker")
"""What lies in a data folder: the lock, the stores by partition, and what is kept beside them."""
BACKLOG = 1024
"""Connections that may wait to be accepted: one that finds no place comes again a second later."""
TRIED = 1000
"""Ports and folders that are tried to name a command that would work."""


@dataclass
class Claims:
    """Held until `release`. The socket is bound and listens, so whoever connects is kept."""

    listener: socket.socket
    lock: IO[str]

    def release(self) -> None:
        self.listener.close()
        self.lock.close()


def claim(settings: Settings) -> Claims:
    """Take port and folder. Raises PortTaken or DataFolderTaken with the command that works."""
    lock = _lock(settings.data_dir)
    try:
        listener = _listen(settings.api_host, settings.api_port)
    except OSError as error:
        if lock is not None:
            lock.close()
        if error.errno != errno.EADDRINUSE:
            raise StartupRefused(
                f"cannot listen on {settings.api_host}:{settings.api_port} "
                f"(LADDER_API_HOST, LADDER_API_PORT): {error.strerror}"
            ) from error
        raise PortTaken(
            f"{settings.api_host}:{settings.api_port} is taken, perhaps by another worker"
            f"{'' if lock else f', and so is the data folder {settings.data_dir}'}. "
            f"This works:\n  {_command(settings, other_folder=lock is None, other_port=True)}"
        ) from error
    if lock is None:
        listener.close()
        raise DataFolderTaken(
            f"another worker uses the data folder {settings.data_dir}. This works:\n"
            f"  {_command(settings, other_folder=True, other_port=False)}"
        )
    return Claims(listener, lock)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _lock(folder: Path) -> IO[str] | None:
    """None where another process holds it; a lock ends with its process, however that ends."""
    try:
        make_private(folder, OURS)
        lock = (folder / LOCK).open("a")
    except OSError as error:
        raise StartupRefused(
            f"the data folder {folder} (LADDER_DATA_DIR) cannot be written: {error.strerror}"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def _command(settings: Settings, *, other_folder: bool, other_port: bool) -> str:
    parts = []
    if other_port:
        parts.append(f"LADDER_API_PORT={_free_port(settings.api_host, settings.api_port)}")
    if other_folder:
        parts.append(f"LADDER_DATA_DIR={shlex.quote(str(_free_folder(settings.data_dir)))}")
    return " ".join([*parts, "ladder worker"])


def _free_port(host: str, taken: int) -> int:
    for port in range(taken + 1, min(taken + TRIED, 65_536)):
        with suppress(OSError):
            _listen(host, port).close()
            return port
    return 0


def _free_folder(taken: Path) -> Path:
    for number in range(2, TRIED):
        folder = taken.with_name(f"{taken.name}-{number}")
        if not (folder / LOCK).exists() or _lockable(folder):
            return folder
    return taken.with_name(f"{taken.name}-another")


def _lockable(folder: Path) -> bool:
    lock = _lock(folder)
    if lock is None:
        return False
    lock.close()
    return True
