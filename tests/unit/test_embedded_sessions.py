"""A member of a group is silent for too long once its session is over, and never while it waits."""

from __future__ import annotations

import pytest

from app.embedded.sessions import Member, Sessions

ONE, OTHER = Member("shop", "one"), Member("shop", "other")


def names(sessions: Sessions, now: float) -> list[Member]:
    return [member for member, _ in sessions.silent(now)]


def heard(sessions: Sessions, member: Member, now: float, session: float = 6.0) -> None:
    sessions.asks(member, session, now)
    sessions.answered(member, now)


def test_who_is_heard_of_in_time_is_not_silent() -> None:
    sessions = Sessions()
    for now in (0.0, 5.0, 10.0):
        heard(sessions, ONE, now)
    assert names(sessions, 16.0) == []


def test_who_is_not_heard_of_for_a_session_is_silent_and_only_who_is_not() -> None:
    sessions = Sessions()
    heard(sessions, ONE, 0.0)
    heard(sessions, OTHER, 5.0)
    assert sessions.silent(6.5) == [(ONE, 6.5)]


def test_each_has_the_session_that_it_asked_for() -> None:
    sessions = Sessions()
    heard(sessions, ONE, 0.0, session=6.0)
    heard(sessions, OTHER, 0.0, session=30.0)
    assert names(sessions, 7.0) == [ONE]
    assert names(sessions, 31.0) == [ONE, OTHER]


def test_who_waits_for_an_answer_is_alive_and_has_a_session_after_it() -> None:
    sessions = Sessions()
    sessions.asks(ONE, 6.0, 0.0)
    assert names(sessions, 100.0) == []
    sessions.answered(ONE, 100.0)
    assert names(sessions, 105.0) == []
    assert names(sessions, 107.0) == [ONE]


def test_who_hung_up_before_the_answer_was_last_heard_when_it_asked() -> None:
    sessions = Sessions()
    sessions.asks(ONE, 6.0, 0.0)
    sessions.hung_up([ONE])
    assert names(sessions, 5.0) == []
    assert names(sessions, 7.0) == [ONE]


def test_a_time_in_which_nobody_could_be_heard_counts_against_nobody() -> None:
    sessions = Sessions()
    heard(sessions, ONE, 0.0)
    sessions.forgive(60.0)
    assert names(sessions, 65.0) == []
    assert names(sessions, 67.0) == [ONE]


@pytest.mark.parametrize("act", ["answered", "hung_up", "forget"])
def test_what_is_said_of_one_that_was_forgotten_does_no_harm(act: str) -> None:
    sessions = Sessions()
    sessions.asks(ONE, 6.0, 0.0)
    sessions.forget(ONE)
    match act:
        case "answered":
            sessions.answered(ONE, 1.0)
        case "hung_up":
            sessions.hung_up([ONE])
        case _:
            sessions.forget(ONE)
    assert names(sessions, 100.0) == []
