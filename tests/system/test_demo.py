"""`ladder demo` as people run it: as a process, on the embedded broker, and gone when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.core.change import Change
from app.core.events import Event, ProfileMerged, Refused, Registered
from app.core.instants import Calendar
from app.core.rules import Rules
from app.embedded.broker import EmbeddedBroker
from app.embedded.demo_events import UNTIL, Story, tell
from app.embedded.demo_purchases import DATA
from app.settings import Settings, load
from app.stream import clients
from app.stream.reading import read, topics_beginning
from app.wire.cloudevents import decode as decode_event
from app.wire.definition import read_folder
from app.wire.rates import read_rates
from app.wire.stage_change import decode
from tests.core_backtest import Backtest, Line, read_events, run
from tests.kafka.broker import Kafka

ROOT = Path(__file__).parents[2]
ENDS_IN = 60.0
"""Seconds; a limit, not a measure."""
INTERRUPTED = 130
CUSTOMERS = 150


class Demo:
    """A running demo. All its processes carry a mark in their environment."""

    def __init__(
        self, tmp_path: Path, *arguments: str, through: Sequence[str] = (), **env: str
    ) -> None:
        self.mark = f"DEMO_TEST={uuid.uuid4().hex}"
        self.temporary = tmp_path / "temporary"
        self.temporary.mkdir()
        name, value = self.mark.split("=")
        self.process = subprocess.Popen(
            [*through, sys.executable, "-m", "app", "demo", *arguments],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "TMPDIR": str(self.temporary),
                name: value,
                **env,
            },
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.said = ""

    def until(self, words: str) -> None:
        """Read what it says until these words."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if words in line:
                return
        raise AssertionError(f"it ended without saying {words!r}:\n{self.said}")

    def finish(self) -> tuple[int, str]:
        """Give exit code and standard output."""
        out, err = self.process.communicate(timeout=ENDS_IN)
        self.said += err
        return self.process.returncode, out

    def others(self) -> list[int]:
        """Processes that it has started, at any remove, and that are there."""
        found = []
        for place in Path("/proc").iterdir():
            if place.name.isdigit() and int(place.name) not in (os.getpid(), self.process.pid):
                with contextlib.suppress(OSError):
                    if self.mark.encode() in (place / "environ").read_bytes().split(b"\0"):
                        found.append(int(place.name))
        return found

    def all_end(self) -> bool:
        """Whether they all end by themselves, if not all at the same instant."""
        return all(_ends(pid) for pid in self.others())

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def _ends(pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([process], [], [], ENDS_IN)
    os.close(process)
    return bool(ended)


@pytest.fixture
def _able(embedded_broker: EmbeddedBroker) -> None:
    """The demo's own broker can run where this one does."""


@contextlib.contextmanager
def demo(
    tmp_path: Path, *arguments: str, through: Sequence[str] = (), **env: str
) -> Iterator[Demo]:
    running = Demo(tmp_path, *arguments, through=through, **env)
    try:
        yield running
    finally:
        running.close()


def kept(running: Demo) -> Settings:
    """Wait until it is done and kept; give settings that reach its broker."""
    running.until("ladder dead-letters list")
    found = re.search(r"LADDER_BROKERS=(\S+)", running.said)
    assert found is not None
    return load({"LADDER_BROKERS": found[1]}, dotenv=None)


@pytest.mark.usefixtures("_able")
def test_what_the_worker_publishes_is_the_backtest_and_the_table_shows_it(tmp_path: Path) -> None:
    with demo(tmp_path, "--customers", str(CUSTOMERS), "--keep") as running:
        published = asyncio.run(_changes(kept(running)))
        running.process.send_signal(signal.SIGINT)
        code, table = running.finish()
    assert code == 0
    story = tell(CUSTOMERS)
    expected = _backtest(story)
    concerned = _concerned_by_handovers(story)
    assert published.keys() == expected.keys()
    compared = 0
    for place in expected:
        assert [change.sequence for change in published[place]] == list(
            range(1, len(published[place]) + 1)
        )
        if place[0] not in concerned and place[1] != "vital-few":
            assert published[place] == expected[place]
            compared += 1
    assert compared > 7 * CUSTOMERS
    assert _table(table) == Counter(
        (ladder, changes[-1].to or "(none)")
        for (_, ladder), changes in published.items()
        if changes[-1].to is not None
    )


async def _changes(settings: Settings) -> dict[tuple[str, str], list[Change]]:
    topics = await topics_beginning(settings, settings.changes_topic(""))
    found: dict[tuple[str, str], list[Change]] = defaultdict(list)
    async with contextlib.aclosing(read(settings, topics)) as records:
        async for record in records:
            change = decode(record.value)
            found[change.customer, change.ladder].append(change)
    return found


def _backtest(story: Story) -> dict[tuple[str, str], list[Change]]:
    rates = read_rates(DATA.joinpath("rates.csv").read_bytes(), "VND")
    backtest = Backtest(Rules(read_folder(), Calendar("UTC"), rates))
    lines = ((Line("demo", number), text) for number, text in enumerate(story.lines, 1))
    run(backtest, read_events(lines)[0], UNTIL)
    found: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in backtest.changes:
        found[change.customer, change.ladder].append(change)
    return found


def _concerned_by_handovers(story: Story) -> set[str]:
    found: set[str] = set()
    for line in story.lines:
        event = decode_event(line, keyed=False)
        if isinstance(event, Refused):
            continue
        found.update(_others(event))
    return found


def _others(event: Event) -> set[str]:
    if isinstance(event.data, Registered) and event.data.referred_by is not None:
        return {event.data.referred_by}
    if isinstance(event.data, ProfileMerged):
        return {event.subject, event.data.into}
    return set()


def _table(text: str) -> Counter[tuple[str, str]]:
    """Customers by ladder and rung, of the rungs where somebody is; '(none)' left out."""
    found: Counter[tuple[str, str]] = Counter()
    ladder = ""
    for line in text.splitlines():
        cells = re.match(r"(\S*)\s+(\(none\)|[a-z-]+)\s+([\d,]+)\s", line)
        if cells is None:
            continue
        ladder = cells[1] or ladder
        number = int(cells[3].replace(",", ""))
        if cells[2] != "(none)" and number:
            found[ladder, cells[2]] = number
    return found


@pytest.mark.usefixtures("_able")
def test_ctrl_c_in_the_middle_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    with demo(tmp_path, "--customers", "2000") as running:
        running.until("events sent to Kafka")
        assert running.others(), "the broker runs"
        running.process.send_signal(signal.SIGINT)
        code, _ = running.finish()
        assert code == INTERRUPTED
        assert running.said.splitlines()[-1] == "interrupted"
        assert running.all_end()
        assert list(running.temporary.iterdir()) == []


@pytest.mark.usefixtures("_able")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_being_asked_to_end_leaves_nothing_either(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path, "--customers", "20", "--keep") as running:
        kept(running)
        running.process.send_signal(number)
        running.finish()
        assert running.all_end()
        assert list(running.temporary.iterdir()) == []


@pytest.mark.usefixtures("_able")
def test_one_that_a_script_started_in_the_background_ends_too(tmp_path: Path) -> None:
    """Shells let what they start with `&` ignore SIGINT."""
    ignoring = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
    with demo(tmp_path, "--customers", "20", "--keep", through=ignoring) as running:
        kept(running)
        running.process.send_signal(signal.SIGTERM)
        running.finish()
        assert running.all_end()


@pytest.mark.usefixtures("_able")
def test_no_child_outlives_a_demo_that_is_killed(tmp_path: Path) -> None:
    with demo(tmp_path, "--customers", "20", "--keep") as running:
        kept(running)
        assert len(running.others()) >= 4, "broker and worker, and who holds each of them"
        running.process.kill()
        assert running.all_end()


@pytest.mark.usefixtures("_able")
def test_a_worker_that_ends_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    with demo(tmp_path, "--customers", "20", LADDER_FAULT="after-commit-before-store:1:kill") as it:
        code, _ = it.finish()
        assert code == 1
        assert "the worker ended with exit code 137" in it.said
        assert it.all_end()


def test_on_brokers_of_others_its_topics_are_its_own_and_go_with_it(
    tmp_path: Path, kafka: Kafka
) -> None:
    (tmp_path / ".env").write_text("LADDER_REPLICATION_FACTOR=1\nLADDER_TIMEZONE=Asia/Tokyo\n")
    before = asyncio.run(_topics(kafka.bootstrap))
    with demo(tmp_path, "--customers", "20", "--brokers", kafka.bootstrap) as running:
        code, table = running.finish()
    assert code == 0, running.said
    assert _table(table)["raving-fan", "shopper"] > 0
    assert asyncio.run(_topics(kafka.bootstrap)) <= before


async def _topics(brokers: str) -> set[str]:
    async with clients.admin(load({"LADDER_BROKERS": brokers}, dotenv=None)) as admin:
        return {name for name in await admin.list_topics() if not name.startswith("__")}
