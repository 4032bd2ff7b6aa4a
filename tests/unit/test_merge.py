"""The merge of a partition's topics, by example."""

from app.stream.merge import TIMELESS, Merge


def merge_of(*lanes: list[int], patience: float = 1.0) -> Merge[str]:
    """A merge whose records are named after their lane and place: `a0`, `a1`, `b0`."""
    merge: Merge[str] = Merge(len(lanes), patience)
    for number, times in enumerate(lanes):
        merge.offer(number, times, [f"{'abcdef'[number]}{place}" for place in range(len(times))])
    return merge


def test_the_smallest_time_of_the_heads_goes_first() -> None:
    assert merge_of([1, 4], [2, 3]).take(10, 0.0) == ["a0", "b0", "b1", "a1"]


def test_ties_go_by_the_order_of_the_topics_then_by_offset() -> None:
    assert merge_of([5, 5], [5]).take(10, 0.0) == ["a0", "a1", "b0"]


def test_a_record_older_than_the_one_before_it_in_its_topic_follows_it_at_once() -> None:
    assert merge_of([10, 3, 12], [11, 11]).take(10, 0.0) == ["a0", "a1", "b0", "b1", "a2"]


def test_a_record_older_than_what_was_taken_before_it_arrived_is_compared_as_it_is() -> None:
    merge = merge_of([100], [])
    assert merge.take(10, 0.0) == ["a0"]
    merge.offer(0, [50], ["late"])
    merge.offer(1, [70], ["b0"])
    assert merge.take(10, 0.0) == ["late", "b0"]


def test_a_topic_with_more_to_come_is_waited_for() -> None:
    merge = merge_of([1, 2], [])
    merge.more(1, True)
    assert merge.take(10, 0.0) == []
    assert merge.patience_ends() == 1.0
    assert merge.take(10, 0.9) == []
    merge.offer(1, [0], ["b0"])
    merge.more(1, False)
    assert merge.take(10, 0.95) == ["b0", "a0", "a1"]


def test_the_wait_for_a_topic_ends_after_the_patience_and_begins_anew_when_it_runs_dry() -> None:
    merge = merge_of([1, 5], [])
    merge.more(1, True)
    assert merge.take(1, 0.0) == []
    assert merge.take(1, 1.0) == ["a0"]
    merge.offer(1, [3], ["b0"])
    assert merge.take(10, 1.1) == ["b0"]
    assert merge.take(10, 1.2) == []
    assert merge.take(10, 2.1) == []
    assert merge.take(10, 2.2) == ["a1"]


def test_nothing_later_than_the_last_known_of_a_topic_with_more_is_taken() -> None:
    merge = merge_of([1, 2, 9], [4])
    merge.more(1, True)
    assert merge.take(10, 0.0) == ["a0", "a1", "b0"]


def test_a_malformed_record_at_the_head_is_taken_without_waiting() -> None:
    merge = merge_of([TIMELESS, 1, TIMELESS], [])
    merge.more(1, True)
    assert merge.take(10, 0.0) == ["a0"]
    assert merge.take(10, 0.5) == []
    merge.more(1, False)
    assert merge.take(10, 0.6) == ["a1", "a2"]


def test_a_malformed_record_keeps_its_place_behind_its_predecessor() -> None:
    assert merge_of([5, TIMELESS, 7], [6]).take(10, 0.0) == ["a0", "a1", "b0", "a2"]


def test_no_more_than_the_limit_is_taken_and_the_rest_stays() -> None:
    merge = merge_of([1, 3, 5], [2, 4, 6])
    assert merge.take(3, 0.0) == ["a0", "b0", "a1"]
    assert len(merge) == 3
    assert merge.take(3, 0.0) == ["b1", "a2", "b2"]


def test_quiet_means_that_nothing_is_buffered_and_nothing_is_known_to_come() -> None:
    merge = merge_of([1], [])
    assert not merge.quiet()
    merge.take(1, 0.0)
    assert merge.quiet()
    merge.more(1, True)
    assert not merge.quiet()
    assert merge.dry()


def test_the_oldest_is_the_smallest_time_at_a_head() -> None:
    assert merge_of([TIMELESS, 7], [9]).oldest() == 7
    assert merge_of([], []).oldest() is None
