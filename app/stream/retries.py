"""What to do about a batch that failed: try again, try less, or give up (architecture.md, rule 3).

Pure. A failure that may go by itself (a broker that does not answer) is tried for ever; one that
comes back in the same way is tried with half as many records, down to one, which then is named.
"""

from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from app.errors import PartitionFailed
from app.stream.batch import FoldFailed
from app.stream.fetched import Record
from app.stream.slots import RowUnreadable
from app.stream.transaction import CommitFailed


class Retries:
    """How many records the next batch may have: twice as many after one that succeeded."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self.limit = largest
        self._last: str | None = None
        self._unreadable: set[str] = set()

    def succeeded(self) -> None:
        """Take notice of a commit."""
        self._last = None
        self.limit = min(self.limit * 2, self._largest)

    def failed(self, error: BaseException, size: int) -> bool:
        """Take notice of a failed batch of so many records; False: there is no use in going on."""
        how = _way(error)
        if isinstance(error, RowUnreadable):
            # A store that was built anew since has the same row: so it lies in the changelog.
            known = how in self._unreadable
            self._unreadable.add(how)
            return not known
        again, self._last = how == self._last, how
        if not again:
            return True
        if isinstance(error, FoldFailed):
            return False
        if size > 1:
            self.limit = size // 2
            self._last = None
            return True
        return _may_pass(error)


def _way(error: BaseException) -> str:
    cause = error.cause if isinstance(error, CommitFailed) else error
    return f"{type(error).__name__} {type(cause).__name__} {cause}"


def _may_pass(error: BaseException) -> bool:
    cause = error.cause if isinstance(error, CommitFailed) else error
    if isinstance(cause, KafkaError):
        return bool(cause.retriable)
    return isinstance(cause, TimeoutError | OSError)


def named(error: BaseException, first: Record | None) -> PartitionFailed:
    """Say which record it was, for whoever has to look into it."""
    if isinstance(error, RowUnreadable):
        return PartitionFailed(f"{error}. So it lies in the changelog: rebuilding did not help")
    if isinstance(error, FoldFailed):
        place, offset, cause = error.place, error.offset, error.__cause__
    elif first is not None:
        place, offset = TopicPartition(first.topic, first.partition), first.offset
        cause = error
    else:
        return PartitionFailed(f"what was due could not be committed: {error}")
    failed = PartitionFailed(
        f"{place.topic}[{place.partition}] offset {offset} could not be taken in: {cause!r}"
    )
    failed.__cause__ = cause
    return failed


def kind_of(error: BaseException) -> str:
    """Return the name under which a failure is counted."""
    cause = error.cause if isinstance(error, CommitFailed) else error
    return type(cause).__name__
