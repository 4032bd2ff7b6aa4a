"""Lines find their topics, in their own time, and none is judged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.cli.emit import Looks
from app.cli.lines import LONGEST, lines
from app.settings import load
from app.stream.emit import Address, Pace, Router

TOPICS = load({}, dotenv=None).topics
GOOD = {
    "specversion": "1.0", "id": "e-1", "source": "/s", "type": "purchase.completed",
    "subject": "c-1", "time": "2026-03-01T09:30:00Z", "data": {},
}  # fmt: skip


def event(**fields: object) -> bytes:
    return json.dumps({**GOOD, **fields}).encode()


@pytest.mark.parametrize(
    ("type_", "topic"),
    [
        ("purchase.completed", "commerce.purchases"),
        ("purchase.refunded", "commerce.purchases"),
        ("signup.registered", "commerce.signups"),
        ("review.posted", "commerce.reviews"),
        ("referral.sent", "commerce.referrals"),
        ("interaction.seen", "commerce.interactions"),
        ("profile.merged", "commerce.profiles"),
        ("clock.advanced", "commerce.purchases"),
        ("something.new", "commerce.purchases"),
    ],
)
def test_an_event_goes_to_the_topic_of_its_type_keyed_by_its_subject(
    type_: str, topic: str
) -> None:
    line = f'{{"type": "{type_}", "subject": "khách-42", "data": {{}}}}'.encode()
    assert Router(TOPICS).address(line) == Address(topic, "khách-42".encode())


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"[" * 200_000,
        b'{"type": "purchase.completed"}',
        b'{"subject": "c-1"}',
        b'{"type": "purchase.completed", "subject": 7}',
        b'{"type": "purchase.completed", "subject": ""}',
        b'{"type": "purchase.completed", "subject": "\\ud800"}',
    ],
    ids=range(9),
)
def test_a_line_without_type_or_subject_goes_to_the_first_topic_without_a_key(line: bytes) -> None:
    assert Router(TOPICS).address(line) == Address("commerce.purchases", None)


def test_all_goes_to_one_topic_when_asked() -> None:
    router = Router(TOPICS, only="elsewhere")
    line = b'{"type": "review.posted", "subject": "c-1"}'
    assert router.address(line) == Address("elsewhere", b"c-1")
    assert router.topics == {"elsewhere"}


def test_a_shop_with_one_topic_gets_all_there() -> None:
    assert Router(["events"]).address(b'{"type": "review.posted", "subject": "c-1"}').topic == (
        "events"
    )


def test_six_topics_of_other_names_are_taken_in_the_default_order() -> None:
    router = Router(["a", "b", "c", "d", "e", "f"])
    assert router.address(b'{"type": "review.posted", "subject": "c-1"}').topic == "c"


def test_topics_are_known_by_the_end_of_their_names() -> None:
    router = Router(["shop.profiles", "shop.purchases"])
    assert router.address(b'{"type": "purchase.completed", "subject": "c-1"}').topic == (
        "shop.purchases"
    )
    assert router.address(b'{"type": "review.posted", "subject": "c-1"}').topic == "shop.profiles"


async def every(*files: Path) -> list[bytes]:
    return [line async for line in lines(files)]


async def test_lines_come_as_they_stand_without_their_ends(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b' {"x": 1} \r\n\n  \nbad \xff\n')
    (tmp_path / "b").write_bytes(b"last")
    assert await every(tmp_path / "a", tmp_path / "b") == [b' {"x": 1} ', b"bad \xff", b"last"]


async def test_a_line_longer_than_a_block_is_one_line(tmp_path: Path) -> None:
    long = b"x" * 300_000
    (tmp_path / "a").write_bytes(long + b"\nshort\n")
    assert await every(tmp_path / "a") == [long, b"short"]


async def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * (LONGEST * 3))
    pieces = await every(tmp_path / "a")
    assert max(map(len, pieces)) <= LONGEST + 64 * 1024
    assert sum(map(len, pieces)) == LONGEST * 3


async def test_a_slow_pipe_gives_its_lines_as_they_come(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    keep = os.open(fifo, os.O_RDWR)
    try:
        os.write(keep, b"first\nsec")
        found = lines([fifo])
        assert await anext(found) == b"first"
        os.write(keep, b"ond\n")
        assert await anext(found) == b"second"
    finally:
        os.close(keep)
    await found.aclose()  # type: ignore[attr-defined]


async def test_progress_hears_every_byte(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x\n" * 100_000)
    done: list[int] = []
    async for _ in lines([tmp_path / "a"], done.append):
        pass
    assert sum(done) == 200_000


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_each_line_has_its_moment_so_that_a_delay_is_caught_up() -> None:
    time = Time()
    pace = Pace(10.0, time, time.sleep)
    for _ in range(5):
        await pace.turn()
    assert time.now == pytest.approx(0.4)
    time.now = 1.0
    for _ in range(5):
        await pace.turn()
    assert time.now == pytest.approx(1.0)
    await pace.turn()
    assert time.now == pytest.approx(1.0)
    await pace.turn()
    assert time.now == pytest.approx(1.1)


async def test_without_a_rate_others_still_get_their_turn() -> None:
    time = Time()
    pace = Pace(None, time, time.sleep)
    for _ in range(2_000):
        await pace.turn()
    assert time.slept == [0.0, 0.0]


@pytest.mark.parametrize(
    ("line", "strange"),
    [
        (b"date,customer,amount", True),
        (b"{}", True),
        (b"[]", True),
        (b"\xff", True),
        (b'{"type": "purchase.completed", "subject": "c-1", "data": {}}', True),
        (event(), False),
        (event(type="newsletter.opened"), False),
        (event(data={"order_id": 7}), False),
        (event(type="clock.advanced", subject=None), False),
    ],
    ids=range(9),
)
def test_only_a_line_that_lacks_what_every_event_has_looks_like_none(
    line: bytes, strange: bool
) -> None:
    looks = Looks()
    looks.at(line)
    assert looks.strange == strange
    assert bool(looks.first) == strange


def test_the_first_line_that_looks_like_no_event_is_the_one_that_is_told() -> None:
    looks = Looks()
    for line in (event(), b"[]", b"not json"):
        looks.at(line)
    assert looks.strange == 2
    assert looks.first == "a JSON object expected, found a list of 0"
