"""Who begins to look is told of those who still stand on the ladder."""

from __future__ import annotations

from app.stream.recent import RECENT, Recent, Seen


def change(
    name: str, customer: str, ladder: str = "climb", *, to: bool = True, at: int = 0
) -> Seen:
    return Seen(ladder, customer, not to, name.encode(), (ladder, at))


def names(recent: Recent, ladder: str | None = None) -> list[str]:
    return [one.value.decode() for one in recent.of(ladder)]


def test_the_newest_are_kept_of_each_ladder_and_of_all() -> None:
    recent = Recent()
    recent.add([change("first", "a"), *(change(f"{n}", "b", "other") for n in range(RECENT))])
    assert names(recent, "climb") == ["first"]
    assert names(recent) == names(recent, "other") == [f"{n}" for n in range(RECENT)]
    assert names(recent, "unknown") == []


def test_who_leaves_a_ladder_is_forgotten_on_it_and_on_no_other() -> None:
    recent = Recent()
    recent.add([change("1", "a"), change("2", "b"), change("3", "a", "other")])
    recent.add([change("4", "a", to=False)])
    assert names(recent, "climb") == ["2"]
    assert names(recent) == ["2", "3"]


def test_who_comes_back_is_told_of_from_then_on() -> None:
    recent = Recent()
    recent.add([change("1", "a"), change("2", "a", to=False), change("3", "a")])
    assert names(recent) == ["3"]


def test_where_some_were_left_out_nobody_before_them_is_told_of() -> None:
    recent = Recent()
    recent.add([change("1", "a", at=0), change("2", "b", at=1), change("3", "c", "other", at=0)])
    recent.pass_by(("climb", 0))
    assert names(recent) == ["2", "3"]
    assert names(recent, "climb") == ["2"]
