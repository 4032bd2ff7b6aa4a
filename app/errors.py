"""The error tree. Each docstring says when it is raised and what the operator does about it.

A command turns a `LadderError` into one message on stderr and its `exit_code`; anything else that
escapes is a bug and shows its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class LadderError(Exception):
    """Something outside the program is not as it must be. The message says what to change."""

    exit_code: ClassVar[int] = 1


class UsageError(LadderError):
    """The command was called in a way that cannot work. Call it as the message says."""

    exit_code: ClassVar[int] = 2


class SettingsError(UsageError):
    """One or more settings have values that cannot work. Correct every one that is listed."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        noun = "setting is" if len(self.problems) == 1 else "settings are"
        super().__init__(f"{len(self.problems)} {noun} wrong:\n{lines}")


class DefinitionError(UsageError):
    """A ladder definition cannot be used. Open the file at the line and column named.

    line and column count from 1; 0 where the whole file is meant.
    """

    def __init__(self, file: str, line: int, column: int, message: str) -> None:
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        place = ":".join([file, *(str(number) for number in (line, column) if number)])
        super().__init__(f"{place}: {message}")


class DefinitionErrors(DefinitionError):
    """Ladder definitions cannot be used. Correct every place that is listed; the first gives file,
    line and column.
    """

    def __init__(self, problems: Sequence[DefinitionError]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.file, first.line, first.column, first.message)
        self.args = ("\n".join(str(problem) for problem in self.problems),)


class DataFileError(UsageError):
    """A file that was named (rates, events) cannot be read or has a wrong line. Correct the file.

    line counts from 1; 0 where the whole file is meant.
    """

    def __init__(self, file: str, line: int, message: str) -> None:
        self.file = file
        self.line = line
        self.message = message
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")


class NothingTaken(LadderError):
    """Every line of the events was refused, so what came of them says nothing. The first reasons
    are listed; `ladder check` tells all, and `ladder schema show` what an event must look like.
    """

    def __init__(self, first: Sequence[str], lines: int) -> None:
        self.problems = tuple(first)
        told = "\n".join(f"  {problem}" for problem in self.problems)
        every = "the only line was" if lines == 1 else f"all {lines:,} lines were"
        super().__init__(f"{every} refused:\n{told}")


class LettersIncomplete(LadderError):
    """None of the dead letters that were chosen can be sent again, since the parts that it takes
    were too large to be kept. Send the events anew from where they came from.
    """


class BrokerError(LadderError):
    """Kafka did not answer, or refused what was asked. See that LADDER_BROKERS is reachable from
    here and that the security settings fit; then try again.
    """


class BrokerUnfit(BrokerError):
    """The broker lacks something that a worker cannot do without (transactions). Use Apache Kafka
    2.5 or newer, or the embedded broker.
    """


class EmbeddedBrokerError(LadderError):
    """The embedded broker cannot run here, or ended. Where there is no build of it for this
    machine, run Apache Kafka and name it with `--brokers`.
    """


class DemoFailed(LadderError):
    """The demo's worker ended, or got nowhere. The message has the end of its log; see whether
    the machine has memory and disk left, and report it if so.
    """


class TopicsError(LadderError):
    """Topics are missing or are not made as they must be. `ladder topics create` makes those that
    are missing; one with a wrong number of partitions must be made anew by hand.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"topics are not as they must be:\n{lines}")


class StartupRefused(LadderError):
    """A worker will not start, because it would do harm or could not work. Do what is said."""


class RememberedSettingsDiffer(StartupRefused):
    """A setting that is remembered with the state (time zone, currency, partitions, topics) has
    another value now. Put the old value back, or take a new LADDER_APP_ID and replay the history.
    """


class LadderChanged(StartupRefused):
    """A ladder means something else than it did for customers already evaluated. Put the old
    definition back, or take a new LADDER_APP_ID and replay the history.
    """


class DataFolderTaken(StartupRefused):
    """Another worker uses this data folder. Give each worker its own, with LADDER_DATA_DIR."""


class PortTaken(StartupRefused):
    """Something listens on the API's port already. Choose another with LADDER_API_PORT."""


class PartitionFailed(LadderError):
    """An event that the rules could not take in, twice: a bug. Its topic, partition and offset are
    in the message, and nothing of it was committed; report it with the event, then start a version
    that can take it.
    """


class OffsetsLost(LadderError):
    """The broker no longer has the records that come next: retention was shorter than the outage,
    or the changelog was not only compacted. The message says which are lost, and has the command
    that goes on without them, or the way to a new LADDER_APP_ID.
    """


class ApiError(LadderError):
    """The API of a worker did not answer, or answered with a problem. See that a worker runs at
    LADDER_API_URL and that LADDER_API_TOKEN is its token.
    """
