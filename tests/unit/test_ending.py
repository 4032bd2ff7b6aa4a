"""A worker ends once, for the first reason, and nothing that is waited for keeps it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from app.stream.ending import Ended, Ending


@pytest.fixture
def ending() -> Ending:
    return Ending()


async def test_work_that_ends_in_time_gives_its_result(ending: Ending) -> None:
    async def work() -> int:
        return 42

    assert await ending.unless(work()) == 42


async def test_work_that_fails_raises_what_it_raised(ending: Ending) -> None:
    async def work() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await ending.unless(work())


async def test_the_end_comes_before_work_that_would_never_be_done(ending: Ending) -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            ending.stop(ValueError("enough"))
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(Ended):
        await ending.unless(work())
    assert cancelled.is_set()
    ending.over()


async def test_the_first_error_is_the_one_that_counts(ending: Ending) -> None:
    first = ValueError("first")
    ending.stop(first)
    ending.stop(ValueError("second"))
    await ending.wait()
    assert ending.error is first
    ending.over()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_a_wish_and_no_error(ending: Ending, number: int) -> None:
    ending.on_signals()
    os.kill(os.getpid(), number)
    await ending.wait()
    assert ending.error is None
    ending.over()


def test_a_worker_that_hangs_while_it_ends_is_ended() -> None:
    """The deadline lies in a thread: a main loop that hangs cannot hold it up."""
    program = (
        "import asyncio, time\n"
        "from app.stream import ending\n"
        "ending.DEADLINE_SECONDS = 0.1\n"
        "async def main():\n"
        "    e = ending.Ending()\n"
        "    e.stop(ValueError())\n"
        "    time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert "did not end within" in ended.stderr
