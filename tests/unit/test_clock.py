"""Both clocks of a partition (contract section 5)."""

from app.core.instants import SECOND
from app.stream.clock import LEEWAY, PATIENCE, EventClock, WallClock

NOW = 1_700_000_000 * SECOND


def test_the_wall_clock_stands_at_now_when_nothing_waits() -> None:
    clock = WallClock(0)
    assert clock.due_until(NOW, None, quiet=True) == NOW - LEEWAY
    assert clock.position == NOW


def test_what_is_due_by_the_wall_clock_is_evaluated_within_five_seconds() -> None:
    assert LEEWAY < 5 * SECOND


def test_the_wall_clock_does_not_pass_the_oldest_record_that_waits() -> None:
    clock = WallClock(0)
    assert clock.due_until(NOW, NOW - 60 * SECOND, quiet=False) == NOW - 60 * SECOND
    assert clock.position == NOW - 60 * SECOND


def test_a_record_from_the_future_does_not_pull_the_wall_clock() -> None:
    clock = WallClock(0)
    clock.applied(NOW + 60 * SECOND)
    clock.due_until(NOW, NOW + 60 * SECOND, quiet=False)
    assert clock.position == NOW


def test_a_late_record_does_not_turn_the_wall_clock_back() -> None:
    clock = WallClock(0)
    clock.due_until(NOW, None, quiet=True)
    clock.due_until(NOW, NOW - SECOND, quiet=False)
    assert clock.position == NOW


def test_the_event_clock_is_the_greatest_time_applied() -> None:
    clock = EventClock(10)
    clock.applied(30)
    clock.applied(20)
    assert clock.position == 30


def test_by_the_event_clock_what_is_due_is_evaluated_once_there_is_nothing_more_to_read() -> None:
    clock = EventClock(0)
    clock.applied(30)
    assert clock.due_until(NOW, 40, quiet=False) is None
    assert clock.due_until(NOW, None, quiet=True) == 30
    clock.done(30)
    assert clock.due_until(NOW + SECOND, None, quiet=True) is None


def test_by_the_event_clock_what_is_due_is_looked_for_until_nothing_is_left() -> None:
    clock = EventClock(0)
    clock.applied(30)
    assert clock.behind() == 30
    assert clock.due_until(NOW, None, quiet=True) == 30
    assert clock.due_until(NOW, None, quiet=True) == 30
    clock.done(30)
    assert clock.behind() == 0


def test_the_wall_clock_is_behind_while_something_due_is_left() -> None:
    clock = WallClock(0)
    until = clock.due_until(NOW, None, quiet=True) or 0
    assert clock.behind() == until
    clock.done(until)
    assert clock.behind() == 0


def test_by_the_event_clock_what_is_due_is_evaluated_in_time_though_there_is_more_to_read() -> None:
    clock = EventClock(0)
    clock.applied(30)
    assert clock.due_until(NOW, 40, quiet=False) is None
    clock.applied(40)
    assert clock.due_until(NOW + PATIENCE - 1, 50, quiet=False) is None
    assert clock.due_until(NOW + PATIENCE, 50, quiet=False) == 40
    assert PATIENCE < 10 * SECOND


def test_a_wall_clock_that_is_set_back_does_not_stretch_the_event_clocks_patience() -> None:
    clock = EventClock(0)
    clock.applied(30)
    clock.due_until(NOW, 40, quiet=False)
    assert clock.due_until(NOW - 3600 * SECOND, 50, quiet=False) == 30


def test_a_late_event_makes_the_event_clock_look_again() -> None:
    clock = EventClock(0)
    clock.applied(30)
    clock.due_until(NOW, None, quiet=True)
    clock.done(30)
    clock.applied(20)
    assert clock.behind() > 0
    assert clock.due_until(NOW, None, quiet=True) == 30


def test_after_a_restart_the_event_clock_looks_at_what_is_due_up_to_where_it_stood() -> None:
    assert EventClock(30).due_until(NOW, None, quiet=True) == 30
