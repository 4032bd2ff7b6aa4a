"""Laws of the merge: it is a sort when topics are in time order, and always the smallest head."""

from hypothesis import given
from hypothesis import strategies as st

from app.stream.merge import TIMELESS, Merge

TIMES = st.lists(st.integers(0, 50), max_size=30)
LANES = st.lists(TIMES, min_size=1, max_size=4)
Record = tuple[int, int, int]


def records(lane: int, times: list[int]) -> list[Record]:
    return [(time, lane, place) for place, time in enumerate(times)]


def drain(merge: Merge[Record], limit: int, now: float = 0.0) -> list[Record]:
    taken: list[Record] = []
    while part := merge.take(limit, now):
        assert len(part) <= limit
        taken += part
    return taken


@given(lanes=LANES, limit=st.integers(1, 40))
def test_topics_in_time_order_come_out_as_a_sort_by_time_topic_and_offset(
    lanes: list[list[int]], limit: int
) -> None:
    merge: Merge[Record] = Merge(len(lanes), 1.0)
    everything: list[Record] = []
    for lane, times in enumerate(lanes):
        in_order = records(lane, sorted(times))
        merge.offer(lane, sorted(times), in_order)
        everything += in_order
    assert drain(merge, limit) == sorted(everything)


def smallest_heads(lanes: list[list[Record]]) -> list[Record]:
    """The contract's words, one record at a time: a malformed head at once, else the smallest."""
    queues = [list(lane) for lane in lanes]
    taken = []
    while any(queues):
        _, _, lane = min((q[0][0], q[0][1], n) for n, q in enumerate(queues) if q)
        taken.append(queues[lane].pop(0))
    return taken


@given(
    lanes=st.lists(st.lists(st.integers(TIMELESS, 20), max_size=20), min_size=1, max_size=4),
    limit=st.integers(1, 30),
)
def test_topics_in_any_order_come_out_as_the_smallest_head_again_and_again(
    lanes: list[list[int]], limit: int
) -> None:
    merge: Merge[Record] = Merge(len(lanes), 1.0)
    for lane, times in enumerate(lanes):
        merge.offer(lane, times, records(lane, times))
    expected = smallest_heads([records(n, times) for n, times in enumerate(lanes)])
    assert drain(merge, limit) == expected


@given(
    lanes=LANES,
    pieces=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=40),
    limit=st.integers(1, 40),
)
def test_arriving_piece_by_piece_changes_nothing_while_the_rest_is_known_to_come(
    lanes: list[list[int]], pieces: list[tuple[int, int]], limit: int
) -> None:
    merge: Merge[Record] = Merge(len(lanes), 1.0)
    rest = [records(lane, sorted(times)) for lane, times in enumerate(lanes)]
    everything = sorted(record for lane in rest for record in lane)
    taken: list[Record] = []
    for lane in range(len(lanes)):
        merge.more(lane, bool(rest[lane]))
    for lane, count in [*pieces, *((lane, 30) for lane in range(len(lanes)))]:
        if lane < len(lanes):
            part, rest[lane] = rest[lane][:count], rest[lane][count:]
            merge.offer(lane, [time for time, _, _ in part], part)
            merge.more(lane, bool(rest[lane]))
            taken += drain(merge, limit)
    assert taken == everything
