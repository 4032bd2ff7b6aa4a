"""A child process that ends when its parent does, however the parent ends.

Between the two stands this file, run as a small program of its own: it waits for the end of a pipe
whose other end only the parent holds, and the operating system closes that even at a `kill -9`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

PATIENCE = 10.0
"""Seconds that a child has between being asked to end and being ended."""


class Tethered:
    """A running child. What it prints goes to the log; it never sees our terminal's Ctrl-C.

    folder: where it runs; None: where we do.
    Raises OSError when the command cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.command = tuple(command)
        self.log = log
        with log.open("ab") as output:
            self._tether = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(patience), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=None if env is None else {**os.environ, **env},
                cwd=folder,
                start_new_session=True,
            )
        try:
            first = _pipe(self._tether.stdout).readline()
        except BaseException:  # Ctrl-C: nobody will know of this child
            self.stop()
            raise
        if not first:
            self.stop()
            raise OSError(f"cannot start {command[0]}: see {log}")
        self.pid = int(first)

    def poll(self) -> int | None:
        """The exit code, or None while the child runs."""
        return self._tether.poll()

    def wait(self) -> int:
        """Block until the child ends by itself, and return the exit code."""
        self._tether.wait()
        return self.stop()

    def signal(self, number: int) -> None:
        """Send the child itself a signal; nothing happens when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def stop(self) -> int:
        """Ask the child to end, end it if it does not, and return the exit code."""
        _pipe(self._tether.stdin).close()
        _pipe(self._tether.stdout).close()
        return self._tether.wait()

    def kill(self) -> int:
        """End the child at once, as a power cut would."""
        self.signal(signal.SIGKILL)
        return self.stop()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "every Popen here is made with pipes"
    return stream


def hold(patience: float, command: Sequence[str]) -> int:
    """Run a command until it ends or standard input does; gives its exit code, as a shell would."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno())
    except OSError as error:
        print(error, file=sys.stderr)  # noqa: T201  standard error is the log here
        return 1

    def end() -> None:
        while os.read(0, 1):  # no buffer whose lock would be held when the program ends
            pass
        child.terminate()
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()

    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    threading.Thread(target=end, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(hold(float(sys.argv[1]), sys.argv[2:]))
