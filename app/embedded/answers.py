"""Whether something that speaks Kafka answers at a port: the one request that needs no client."""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from app.embedded.tether import Tethered
from app.errors import EmbeddedBrokerError

# ApiVersions, version 0, correlation 1, no client id: every Kafka broker answers it.
_REQUEST = struct.pack(">ihhih", 10, 18, 0, 1, -1)


def answers(host: str, port: int, timeout: float = 2.0) -> bool:
    """Ask once; timeout in seconds."""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(_REQUEST)
            header = connection.recv(8, socket.MSG_WAITALL)
            return len(header) == 8 and header[4:] == b"\x00\x00\x00\x01"
    except OSError:
        return False


def wait_until_answers(host: str, port: int, process: Tethered, timeout: float) -> None:
    """Return when the broker of that process answers; timeout in seconds.

    Raises EmbeddedBrokerError, with the end of its log, when it ends or the time does.
    """
    deadline = time.monotonic() + timeout
    while not answers(host, port):
        if process.poll() is not None:
            raise EmbeddedBrokerError(f"the broker ended while starting:\n{_end_of_log(process)}")
        if time.monotonic() > deadline:
            raise EmbeddedBrokerError(
                f"the broker did not answer within {timeout:g} s:\n{_end_of_log(process)}"
            )
        time.sleep(0.05)


def _end_of_log(process: Tethered) -> str:
    with contextlib.suppress(OSError):
        lines = process.log.read_text(errors="replace")[-2000:].splitlines()
        return "\n".join(line for line in lines if "GLIBC" not in line)
    return "(no log)"
