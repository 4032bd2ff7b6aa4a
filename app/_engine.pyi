"""The engine (`engine/`, in Rust): the rules over whole files, with the lock released."""

class Decoded:
    """Events of one block of lines."""

    @property
    def lines(self) -> int:
        """How many lines say something."""

def decode(block: bytes, file: int, first: int) -> Decoded:
    """Decode a block of NDJSON that ends with a line. `file` is the caller's number of the file,
    `first` the number of the block's first line.
    """

class Backtest:
    """All customers of one shop in memory, and the events that wait for them.

    A RuntimeError is a defect of the engine; nothing may be asked of it afterwards.
    """

    def __init__(
        self, definitions: bytes, shop: bytes, starts: bytes, latest: int | None = None
    ) -> None:
        """Take what `app.wire.handed` makes, and the latest time that an event may have (µs).

        Raises ValueError for what the engine cannot run.
        """

    def take(self, decoded: Decoded) -> None:
        """Take events (they leave `decoded`), to be sorted."""

    def sort(self) -> int:
        """Put what was taken in order: by time, then topic, then as it stands; gives how many."""

    def fold(self, most: int) -> int:
        """Apply up to so many events; gives how many still wait."""

    def finish(self, until: int | None) -> None:
        """Evaluate everything due by the clock, moved on to `until` (microseconds).

        Stage changes and customers are asked for after it.
        """

    @property
    def clock(self) -> int | None:
        """The clock, in microseconds."""

    @property
    def repeated(self) -> int:
        """How many events were applied before."""

    @property
    def dropped(self) -> int:
        """How many events concerned nobody any more."""

    @property
    def change_count(self) -> int:
        """How many stage changes there are."""

    def changes(self, first: int, end: int) -> bytes:
        """Stage changes by time, then customer, ladder, sequence; one JSON a line."""

    @property
    def customer_count(self) -> int:
        """How many customers have a record."""

    def customers(self, first: int, end: int) -> bytes:
        """Customers by id, as the API gives them as of the clock; one JSON a line."""

    def dead_letters(self) -> list[tuple[str, str, int, int]]:
        """What was refused, by file and line: reason, message, number of the file, line."""

    def summary(self) -> bytes:
        """Customers and moves by ladder and rung, as JSON."""

class Records:
    """Reads stored rows of any version, and writes them as the engine does: for tools and tests."""

    def __init__(self, definitions: bytes, shop: bytes, starts: bytes) -> None:
        """Take what `app.wire.handed` makes. Raises ValueError for what the engine cannot run."""

    def describe(self, id: str, rows: dict[bytes, bytes], now: int) -> bytes | None:
        """Return a customer as the API gives it, with no cuts of top spenders; None of nobody.

        `rows` are those of a store, by key. Raises ValueError if what is stored cannot be read.
        """

    def upgrade(self, rows: dict[bytes, bytes]) -> dict[bytes, bytes]:
        """Return the rows as the engine writes them. Raises ValueError as `describe` does."""
