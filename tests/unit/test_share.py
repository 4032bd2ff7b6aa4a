"""Who gets which partition: even, steady, and never somebody with nothing where one is ready."""

from hypothesis import given
from hypothesis import strategies as st

from app.stream.share import NEAR, Member, Share, share_out

FULL = 10 * NEAR


def member(*had: int, copies: tuple[int, ...] = (), at: int = FULL) -> Member:
    """Somebody who had partitions, and copies of others, all standing at an offset."""
    return Member(frozenset(had), dict.fromkeys((*had, *copies), at))


def actives(shares: dict[str, Share]) -> dict[str, set[int]]:
    return {name: share.actives for name, share in shares.items()}


MEMBERS = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3),
    st.builds(
        Member,
        st.frozensets(st.integers(0, 11)),
        st.dictionaries(st.integers(0, 11), st.sampled_from((0, 1, NEAR, FULL))),
    ),
    min_size=1,
    max_size=6,
)


@given(st.integers(1, 12), MEMBERS, st.integers(0, 3))
def test_everything_is_worked_on_by_one_and_copied_by_others(
    partitions: int, members: dict[str, Member], copies: int
) -> None:
    shares = share_out(partitions, members, copies)
    assert shares.keys() == members.keys()
    given = [number for share in shares.values() for number in share.actives]
    assert sorted(given) == list(range(partitions))
    for share in shares.values():
        assert not share.actives & share.standbys
        assert share.warming <= share.standbys
    for number in range(partitions):
        copied = sum(number in share.standbys for share in shares.values())
        assert copied >= min(copies, len(members) - 1)


@given(st.integers(1, 12), MEMBERS, st.integers(1, 3))
def test_with_copies_nobody_works_on_what_another_is_far_ahead_in(
    partitions: int, members: dict[str, Member], copies: int
) -> None:
    if len(members) == 1:
        return
    for name, share in share_out(partitions, members, copies).items():
        for number in share.actives:
            newest = max(each.stands.get(number, 0) for each in members.values())
            assert newest - members[name].stands.get(number, 0) <= NEAR


def caught_up(shares: dict[str, Share]) -> dict[str, Member]:
    return {
        name: Member(frozenset(share.actives), dict.fromkeys(share.actives | share.standbys, FULL))
        for name, share in shares.items()
    }


@given(st.integers(1, 12), MEMBERS, st.integers(0, 3))
def test_once_all_have_caught_up_it_is_even_and_stays_as_it_is(
    partitions: int, members: dict[str, Member], copies: int
) -> None:
    shares = share_out(partitions, members, copies)
    for _ in range(2):
        shares = share_out(partitions, caught_up(shares), copies)
    before, shares = shares, share_out(partitions, caught_up(shares), copies)
    counts = [len(share.actives) for share in shares.values()]
    assert max(counts) - min(counts) <= 1
    assert not any(share.warming for share in shares.values())
    assert actives(shares) == actives(before)


def test_what_a_dead_worker_had_goes_to_who_has_a_copy_even_beyond_its_part() -> None:
    """Four workers, one died; only one of the others has copies of what it had."""
    shares = share_out(
        6, {"b": member(3, copies=(0, 1, 2)), "c": member(4), "d": member(5)}, copies=1
    )
    assert shares["b"].actives == {0, 1, 2, 3}
    assert len(shares["c"].warming | shares["d"].warming) == 2


def test_who_joins_with_nothing_warms_up_first_and_then_takes_over() -> None:
    first = share_out(4, {"a": member(0, 1, 2, 3), "b": Member()}, copies=1)
    assert first["a"].actives == {0, 1, 2, 3}
    assert len(first["b"].warming) == 2
    warm = tuple(first["b"].standbys)
    second = share_out(4, {"a": member(0, 1, 2, 3), "b": member(copies=warm)}, copies=1)
    assert second["b"].actives == first["b"].warming
    assert second["b"].warming == set()
    assert second["a"].standbys == second["b"].actives


def test_a_small_state_needs_no_warming_up() -> None:
    shares = share_out(4, {"a": member(0, 1, 2, 3, at=NEAR), "b": Member()}, copies=1)
    assert len(shares["b"].actives) == 2
    assert shares["b"].warming == set()


def test_without_copies_a_newcomer_gets_its_part_at_once() -> None:
    shares = share_out(4, {"a": member(0, 1, 2, 3), "b": Member()}, copies=0)
    assert len(shares["b"].actives) == 2
    assert not any(share.standbys for share in shares.values())


def test_of_two_who_claim_a_partition_the_newer_store_keeps_it() -> None:
    zombie = Member(frozenset({0}), {0: FULL - NEAR})
    assert share_out(1, {"a": zombie, "b": member(0)}, copies=1)["b"].actives == {0}


def test_where_somebody_left_nothing_moves_that_need_not() -> None:
    three = {"a": member(0, 1, 2), "b": member(3, 4, 5), "c": member(6, 7)}
    with_copies = {
        name: Member(each.had, dict.fromkeys(range(8), FULL)) for name, each in three.items()
    }
    del with_copies["c"]
    shares = share_out(8, with_copies, copies=1)
    assert shares["a"].actives > {0, 1, 2}
    assert shares["b"].actives > {3, 4, 5}
