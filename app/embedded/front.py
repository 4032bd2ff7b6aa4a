"""What stands before the embedded broker: a small program that passes everything on, both ways,
and minds the consumer groups, in which noida-db does three things otherwise than Apache Kafka.

- It looks at a member's session only when that member sends a heartbeat. One that was killed sends
  none, so it would stay in its group for ever: what it had is given to nobody, and whoever joins
  waits for it to join, too. So here is noted when each member was last heard, and one that is
  silent for longer than its session is made to leave.
- It takes the time that a member waits for the others to join for silence. So the broker is told
  of the longest session there is, and sessions are judged here alone.
- When a member leaves, the first of the others that joins again may get everything, and the next
  one an assignment without a single byte, at which clients break. That one is told to join again.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import closing, suppress

from app.embedded import frames
from app.embedded.sessions import Member, Sessions

HOST = "127.0.0.1"
LOOK_SECONDS = 0.5
PAUSED_SECONDS = 2.0
"""A look that comes so late means that this process stood still, and could hear nobody."""
USUAL_SESSION = 45.0
"""Seconds, for a member who does not say how long its session is."""
LARGEST = 100 << 20
"""Bytes of a frame; Kafka's own limit for a request. Whoever claims more does not speak Kafka."""
BUFFER = 1 << 20


class Front:
    """Listens on one port for a broker that listens on another; `run` never returns."""

    def __init__(self, port: int, broker: int) -> None:
        self._port = port
        self._broker = broker
        self._there = _address(broker)
        self._here = _address(port)
        self._sessions = Sessions()

    async def run(self) -> None:
        """Raises OSError when the port is taken."""
        async with await asyncio.start_server(self._serve, HOST, self._port, limit=BUFFER):
            await self._watch()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):  # a client whose broker is away is hung up on
            there, back = await asyncio.open_connection(HOST, self._broker, limit=BUFFER)
            with closing(back):
                link = _Link(self._sessions, self._there, self._here)
                await link.run(reader, back, there, writer)

    async def _watch(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            if now - looked > PAUSED_SECONDS:
                self._sessions.forgive(now - looked)
            looked = now
            for member, seconds in self._sessions.silent(now):
                await self._expel(member, seconds)

    async def _expel(self, member: Member, seconds: float) -> None:
        """Take it out of its group, if it is in it: asked for nothing, the broker rebalances."""
        try:
            reader, writer = await asyncio.open_connection(HOST, self._broker)
            with closing(writer):
                known = await _asked(reader, writer, frames.heartbeat(member))
                if known != frames.UNKNOWN_MEMBER:
                    await _asked(reader, writer, frames.leave(member))
                    _say(f"group {member.group}: {member.id} was silent for {seconds:.0f} s and "
                         "is a member no longer")  # fmt: skip
        except (OSError, EOFError) as error:
            _say(f"group {member.group}: {member.id} is to leave, but: {error!r}")
            return  # the broker is away; the next look tries again
        self._sessions.forget(member)


class _Link:
    """One client's connection: requests there, answers back, each in order."""

    def __init__(self, sessions: Sessions, there: bytes, here: bytes) -> None:
        self._sessions = sessions
        self._there = there
        self._here = here
        self._session = USUAL_SESSION
        self._members: dict[bytes, Member] = {}
        """Who waits for which answer."""
        self._addressed: set[bytes] = set()
        """Answers that will say where the broker is."""
        self._assignments: dict[bytes, int] = {}
        """Answers that will be an assignment, and in which version."""

    async def run(
        self,
        client: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Return when either side hangs up."""
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._requests(client, back))
                ways.create_task(self._answers(there, writer))
        except* (OSError, EOFError):
            pass  # that is how a connection ends
        finally:
            self._sessions.hung_up(self._members.values())

    async def _requests(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        while True:
            await _pass_on(back, self._request(await _frame(client)))

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await _pass_on(writer, self._answer(await _frame(there)))

    def _request(self, frame: bytes) -> bytes:
        number = frames.number_of(frame)
        if frames.key_of(frame) in frames.ADDRESSED:
            self._addressed.add(number)
        elif asked := frames.asked(frame):
            if asked.session is not None:
                self._session = asked.session / 1000
                frame = frames.with_longest_session(frame, asked)
            if asked.member.id:
                self._sessions.asks(asked.member, self._session, time.monotonic())
                self._members[number] = asked.member
            if frames.key_of(frame) == frames.SYNC:
                self._assignments[number] = frames.version_of(frame)
        return frame

    def _answer(self, frame: bytes) -> bytes:
        number = frame[:4]
        if number in self._addressed:
            self._addressed.discard(number)
            frame = frame.replace(self._there, self._here)
        elif member := self._members.pop(number, None):
            self._sessions.answered(member, time.monotonic())
        if (version := self._assignments.pop(number, None)) is not None:
            frame = frames.assigned(frame, version)
        return frame


async def _frame(reader: asyncio.StreamReader) -> bytes:
    size = int.from_bytes(await reader.readexactly(4))
    if not 4 <= size <= LARGEST:
        raise EOFError(f"a frame of {size} bytes")
    return await reader.readexactly(size)


async def _pass_on(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.writelines((len(frame).to_bytes(4), frame))
    await writer.drain()


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    await _pass_on(writer, request)
    return frames.error_of(await _frame(reader))


def _address(port: int) -> bytes:
    """Return how an answer says where the broker is: the name of a host, and its port."""
    return HOST.encode() + port.to_bytes(4)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201  standard error is the log here


def main(port: int, broker: int) -> int:
    """Run until it is ended; gives the exit code when it cannot begin."""
    try:
        asyncio.run(Front(port, broker).run())
    except OSError as error:
        _say(str(error))
    return 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
