"""The RocksDB of one partition: what was committed, and where in the changelog that was.

Values, and the changelog offset at which they stand, are written after the commit; the offset comes
last, so a store that lost its tail is only older, and the changelog brings it up to date. Every
failure of RocksDB is a `StoreBroken`: the caller closes the store and builds it anew.
"""

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec
import rocksdict
import structlog

from app.errors import DataFolderTaken, StartupRefused
from app.stream import due
from app.stream.allocator import give_back
from app.stream.erasures import Erasures
from app.stream.shared import Shared
from app.stream.store_batches import LAYOUT, Row, batch_of, batch_with_index, too_new
from app.wire.record import HOT

log = structlog.get_logger(__name__)

STANDING = b"\x00o"
"""Keys that begin with a zero byte are local: they never go to the changelog."""

ENTRIES = 10_000
"""How many entries one write takes: RocksDB holds the interpreter's lock while it writes them."""

_HOT = HOT[0]

_STARVED = ("No space left", "Too many open files", "Cannot allocate memory")


class StoreBroken(OSError):
    """RocksDB could not open, read or write: the partition reopens, and builds the store anew."""


class StoreStarved(StoreBroken):
    """The disk is full, or too many files are open: the store itself is as it was."""


class StoreClosed(Exception):
    """Asked after it was closed: a bug of whoever asked, and nothing is wrong with the files."""


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """Whose store this is, and up to where it holds the changelog; `written_at` in µs.

    `offset` is that of the next record of the changelog to be read.
    """

    layout: int
    changelog: str
    partition: int
    partitions: int
    offset: int
    written_at: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Standing).decode


class Store:
    """One open database. Raises `StoreBroken` from every method when RocksDB fails."""

    def __init__(self, path: Path, shared: Shared, *, filling: bool = False) -> None:
        """Open or create; raises DataFolderTaken while another process has it open.

        filling: it is new, and will be used only once it was `filled`.
        """
        self.path = path
        self._shared = shared
        self._filling = filling
        self.erasures = Erasures(self.get)
        self._closing = threading.Event()
        self._in_thread = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = self._opened()

    def _opened(self) -> rocksdict.Rdict:
        options = self._shared.filling() if self._filling else self._shared.options()
        try:
            # Without column families it would take the options, and a cache of its own, as they
            # were when the store was made.
            return rocksdict.Rdict(str(self.path), options, column_families={})
        except Exception as error:
            # Not the word alone: a damaged table is a "block checksum mismatch".
            if f"{self.path}/LOCK:" in str(error):
                raise DataFolderTaken(
                    f"the store {self.path} is open in another process: give each worker its own "
                    "folder with LADDER_DATA_DIR"
                ) from error
            raise self._trouble(error) from error

    def standing(self) -> Standing | None:
        """Return where it stands, None for a new store.

        Raises StoreBroken when it holds rows but does not say where it stands, and StartupRefused
        when a newer program wrote it.
        """
        value = self.get([STANDING])[0]
        if value is None:
            if self.scan(b"", b"\xff", 1):
                raise StoreBroken(f"{self.path}: it holds rows, but not where they come from")
            return None
        try:
            layout: int = msgspec.msgpack.decode(value)[0]
            standing = _decode(value) if layout <= LAYOUT else None
        except (msgspec.MsgspecError, TypeError, IndexError) as error:
            raise StoreBroken(f"{self.path}: where it stands is unreadable: {error}") from error
        if standing is None:
            raise too_new(str(self.path), layout)
        return standing

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the value of each key, None where there is none."""
        try:
            values: list[bytes | None] = self._db.get(list(keys))
        except Exception as error:
            raise self._trouble(error) from error
        return values

    def scan(self, start: bytes, end: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return the first rows with start <= key < end, in the order of their keys."""
        rows: list[tuple[bytes, bytes]] = []
        found: Any = None
        try:
            read = rocksdict.ReadOptions()
            read.set_iterate_upper_bound(end)
            found = self._db.iter(read)
            found.seek(start)
            while len(rows) < limit and found.valid():
                rows.append((found.key(), found.value()))
                found.next()
            # An iterator over damaged blocks does not fail, it ends.
            found.status()
        except Exception as error:
            # An iterator keeps the lock, and the error keeps this frame while it is handled.
            found = None
            raise self._trouble(error) from error
        return rows

    def write(self, rows: Iterable[Row], standing: Standing | None) -> None:
        """Write rows, and after them where the store stands now (None: where it stood)."""
        ending = () if standing is None else ((STANDING, _encode(standing)),)
        rest = chain(rows, ending)
        try:
            while True:
                batch, erased = batch_of(islice(rest, ENTRIES))
                if not len(batch):
                    return
                if erased:
                    self._note_erasure(batch, standing)
                self._db.write(batch)
        except Exception as error:
            raise self._trouble(error) from error

    def fill(self, rows: Mapping[bytes, bytes | None], standing: Standing) -> int:
        """Write rows of the changelog, what is due by them, and where the store stands then.

        Returns how many customers there were. A store that is being filled is written without a
        log, and made to last by `filled`. Raises StartupRefused for rows of a newer program.
        """
        options = rocksdict.WriteOptions()
        options.disable_wal = self._filling
        try:
            stale = [] if self._filling else self._stale(rows)
            batch, customers, erased = batch_with_index(rows, stale)
            if erased:
                self._note_erasure(batch, standing)
            batch.put(STANDING, _encode(standing))
            self._db.write(batch, options)
        except StartupRefused:
            raise
        except Exception as error:
            raise self._trouble(error) from error
        return customers

    def _stale(self, rows: Mapping[bytes, bytes | None]) -> list[bytes]:
        """Return what the index and its marks have of these customers, by their rows until now."""
        hot = [key for key in rows if key[0] == _HOT]
        marks = [due.mark(key[1:]) for key in hot]
        found = self._db.get(hot + marks)
        stale = [
            entry
            for key, row in zip(hot, found, strict=False)
            if row is not None and (entry := due.key_of(key, row)) is not None
        ]
        for key, mark, value in zip(hot, marks, found[len(hot) :], strict=True):
            if value is not None:
                stale += (mark, due.entry(due.instant_of(value), key[1:]))
        return stale

    def filled(self) -> None:
        """Make what was written while filling last, and be a store like others from now on."""
        if self._filling:
            # Before anything is written with a log: after a crash the log alone would be read.
            self.flush()
            self._db.close()
            self._filling = False
            self._db = self._opened()
            give_back()

    def _note_erasure(self, batch: rocksdict.WriteBatch, standing: Standing | None) -> None:
        note = self.erasures.note(standing.written_at if standing is not None else 0)
        if note is not None:
            batch.put(*note)

    async def purge(self) -> None:
        """Write all files anew without what was deleted until now, in a thread.

        It is used as before meanwhile, and may be closed, which ends this early.
        """
        self.erasures.begin()
        try:
            await asyncio.to_thread(self._apart, self._compact)
            self.write([self.erasures.purged()], None)
            # The manifest until then still has the first and last keys of the files before.
            await asyncio.to_thread(self._apart, self.flush)
        finally:
            self.erasures.end()

    def _apart(self, work: Callable[[], None]) -> None:
        """Work in a thread; raises StoreClosed if it was closed meanwhile."""
        with self._in_thread:
            try:
                work()
            except StoreBroken as error:
                if self._closing.is_set():
                    raise StoreClosed(str(self.path)) from error
                raise
            if self._closing.is_set():
                raise StoreClosed(str(self.path))

    def _compact(self) -> None:
        self.flush()
        try:
            self._db.compact_range(None, None)
        except Exception as error:
            raise self._trouble(error) from error

    def size(self) -> int:
        """Return how many bytes its files and what waits to become one take."""
        names = ("rocksdb.total-sst-files-size", "rocksdb.cur-size-all-mem-tables")
        try:
            return sum(self._db.property_int_value(name) or 0 for name in names)
        except Exception as error:
            raise self._trouble(error) from error

    def flush(self) -> None:
        """Bring all that was written to disk."""
        try:
            self._db.flush()
        except Exception as error:
            raise self._trouble(error) from error

    def _trouble(self, error: Exception) -> Exception:
        if isinstance(error, rocksdict.DbClosedError):
            return StoreClosed(str(self.path))
        kind = StoreStarved if any(sign in str(error) for sign in _STARVED) else StoreBroken
        return kind(f"{self.path}: {error}")

    def close(self) -> None:
        """Let go of the files; what a full or broken disk did not take comes from the changelog."""
        self._closing.set()
        at_work = self._in_thread.locked()
        try:
            if at_work:
                # RocksDB's binding cannot close while it is at work in another thread.
                self._db.cancel_all_background(False)
            with self._in_thread:
                self._db.close()
        except Exception as error:
            if at_work and "Shutdown in progress" in str(error):
                return  # it writes no file any more: what is not in one is in its log
            log.warning(
                "store was closed without its last writes",
                action="store-closed-short",
                error=str(self._trouble(error)),
            )


def aside_of(path: Path) -> Path:
    """Return where a store goes when it is broken, until it was built anew."""
    return path.with_name(path.name + ".broken")


def set_aside(path: Path) -> Path:
    """Move a broken store out of the way; only the newest is kept."""
    aside = aside_of(path)
    shutil.rmtree(aside, ignore_errors=True)
    if path.exists():
        path.rename(aside)
    return aside


def remove(path: Path) -> None:
    """Delete a closed store."""
    shutil.rmtree(path, ignore_errors=True)
