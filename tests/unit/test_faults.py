"""Fault points do nothing unless a test armed them."""

import pytest

from app.stream.faults import POINTS, FaultInjected, parse


async def test_a_point_that_is_not_armed_is_passed() -> None:
    faults = parse("")
    for point in POINTS:
        await faults.reach(point)


async def test_an_armed_point_fails_at_the_nth_time_and_only_then() -> None:
    faults = parse("before-commit:2:raise")
    await faults.reach("before-commit")
    with pytest.raises(FaultInjected, match="before-commit, time 2"):
        await faults.reach("before-commit")
    await faults.reach("before-commit")


@pytest.mark.parametrize("text", ["nowhere:1:kill", "before-commit:1:explode", "before-commit"])
def test_a_wrong_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)
