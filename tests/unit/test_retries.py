"""What is done about a batch that fails (architecture.md, rule 3)."""

from aiokafka.errors import MessageSizeTooLargeError, NotEnoughReplicasError
from aiokafka.structs import ConsumerRecord

from app.stream.batch import FoldFailed
from app.stream.retries import Retries, named
from app.stream.slots import RowUnreadable
from app.stream.transaction import CommitFailed

TOO_LARGE = CommitFailed(MessageSizeTooLargeError("no"))
NO_ANSWER = CommitFailed(TimeoutError("no answer"))


def at(offset: int) -> FoldFailed:
    record = ConsumerRecord("in", 0, offset, 0, 0, b"c-1", b"", None, 3, 0, ())
    return FoldFailed(record)


def test_a_first_failure_is_tried_again_as_it_was() -> None:
    retries = Retries(1000)
    assert retries.failed(TOO_LARGE, 1000)
    assert retries.limit == 1000


def test_what_fails_twice_in_the_same_way_is_halved_down_to_one_and_then_given_up() -> None:
    retries = Retries(8)
    for limit in (8, 4, 2):
        assert retries.failed(TOO_LARGE, limit)
        assert retries.failed(TOO_LARGE, limit)
        assert retries.limit == limit // 2
    assert retries.failed(TOO_LARGE, 1)
    assert not retries.failed(TOO_LARGE, 1)


def test_two_different_failures_are_not_the_same_twice() -> None:
    retries = Retries(8)
    assert retries.failed(TOO_LARGE, 8)
    assert retries.failed(CommitFailed(NotEnoughReplicasError("no")), 8)
    assert retries.limit == 8


def test_a_success_in_between_begins_anew() -> None:
    retries = Retries(8)
    retries.failed(TOO_LARGE, 8)
    retries.succeeded()
    assert retries.failed(TOO_LARGE, 8)
    assert retries.limit == 8


def test_after_a_success_batches_grow_again_up_to_the_largest() -> None:
    retries = Retries(8)
    retries.failed(TOO_LARGE, 8)
    retries.failed(TOO_LARGE, 8)
    retries.succeeded()
    assert retries.limit == 8
    retries.succeeded()
    assert retries.limit == 8


def test_a_broker_that_does_not_answer_is_never_given_up() -> None:
    retries = Retries(8)
    for _ in range(50):
        assert retries.failed(NO_ANSWER, retries.limit)
    assert retries.limit == 1


def test_an_event_on_which_the_rules_fail_twice_is_given_up_at_once() -> None:
    retries = Retries(8)
    assert retries.failed(at(5), 8)
    assert retries.failed(at(6), 8)
    assert not retries.failed(at(6), 8)


def test_a_row_that_is_unreadable_again_after_a_rebuild_is_given_up_and_named() -> None:
    """Whatever was committed in between: the store would be built anew for ever."""
    retries = Retries(10_000)
    bad = RowUnreadable("customer with SHA-256 ab12...: record version 7")
    assert retries.failed(bad, 500)
    retries.succeeded()
    assert not retries.failed(bad, 500)
    assert "ab12" in str(named(bad, None))
    assert retries.failed(RowUnreadable("customer with SHA-256 cd34...: record version 7"), 1)
