"""Reads give way to the stream while a worker is behind and busy, and only then."""

from __future__ import annotations

import pytest

from app.api.pace import A_SECOND, Pace
from app.ops import metrics as m
from tests.api_workers import workers

BURST = int(A_SECOND)


class Rig:
    """A pace on a clock that is set by hand; `busy` is the share of the time that is used."""

    def __init__(self, behind: float = 60.0, busy: float = 1.0) -> None:
        self.behind, self.busy = behind, busy
        self.now = self.used = 0.0
        self.pace = Pace(lambda: self.behind, lambda: self.now, lambda: self.used)
        self.passes(10.0)

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.used += self.busy * seconds

    def admitted(self, requests: int) -> int:
        return sum(self.pace.admits() for _ in range(requests))


def test_while_it_is_behind_and_busy_few_are_answered() -> None:
    rig = Rig()
    assert rig.admitted(1_000) == BURST
    rig.passes(0.5)
    assert rig.admitted(1_000) == A_SECOND * 0.5


@pytest.mark.parametrize(("behind", "busy"), [(0.9, 1.0), (60.0, 0.4)])
def test_one_that_is_not_behind_or_only_waits_answers_everybody(behind: float, busy: float) -> None:
    assert Rig(behind, busy).admitted(1_000) == 1_000


def test_once_it_has_caught_up_everybody_is_answered_again() -> None:
    rig = Rig()
    rig.admitted(1_000)
    rig.behind = 0.0
    assert rig.admitted(1_000) == 1_000


def test_it_is_seen_within_half_a_second_that_it_became_busy() -> None:
    rig = Rig(busy=0.1)
    assert rig.admitted(1_000) == 1_000
    rig.busy = 1.0
    rig.passes(0.5)
    assert rig.admitted(1_000) == BURST


async def test_who_is_turned_away_is_told_why_and_when_to_come_again() -> None:
    async with workers(range(4)) as (one,):
        one.overload(60.0)
        for path in ("/v1/customers/c-1", "/v1/ladders", "/v1/changes"):
            status, body, headers = await one.get(path)
            assert (status, body["behind_seconds"], headers["Retry-After"]) == (503, 60.0, "1")
        assert f"{m.API_TURNED_AWAY.name} 3.0" in one.metrics.text().decode()


async def test_health_and_metrics_are_always_told() -> None:
    async with workers(range(4)) as (one,):
        one.overload(60.0)
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert (await one.get(path))[0] == 200


async def test_an_owner_that_is_behind_turns_away_but_is_not_missing_in_what_is_about_all() -> None:
    async with workers([0, 1], [2, 3]) as (one, owner):
        owner.overload(60.0)
        status, body, headers = await one.get("/v1/customers/3%2Fx")
        assert (status, body["behind_seconds"], headers["Retry-After"]) == (503, 60.0, "1")
        _, gathered, _ = await one.get("/v1/ladders")
        assert gathered["complete"]
