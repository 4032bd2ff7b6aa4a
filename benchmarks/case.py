"""What a benchmark is: something made ready once, and measured in rounds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Protocol

from benchmarks.broker import Place
from benchmarks.figures import Round


class Sizes(NamedTuple):
    """How much of everything."""

    mixed: int = 500_000
    purchases: int = 500_000
    restored_customers: int = 500_000
    few_customers: int = 20_000
    many_customers: int = 5_000_000
    latency_seconds: int = 60
    bought_until: str = "1999-01-01"


QUICK = Sizes(20_000, 20_000, 20_000, 5_000, 50_000, 5, "1997-02-01")
CUSTOMERS_PER_EVENT = 0.32
"""160,000 customers for 500,000 events; smaller backlogs have as many events for each customer."""


class Case(ABC):
    """One benchmark on one broker.

    `wanted` says by figure what it has to reach, `needs` which cases it looks back on: `earlier`
    has what those before it came to in this round, by their names.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    wanted: ClassVar[dict[str, str]] = {}

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, place: Place, sizes: Sizes) -> None:
        self.place = place
        self.sizes = sizes
        self.earlier: Mapping[str, Round] = {}

    @abstractmethod
    async def prepare(self) -> None:
        """Do what all rounds need; not measured."""

    @abstractmethod
    async def measure(self, number: int) -> Round:
        """Measure once; rounds count from 1."""


class Measurable(Protocol):
    """What `rounds` asks of a case."""

    earlier: Mapping[str, Round]

    @property
    def name(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def wanted(self) -> Mapping[str, str]: ...
    async def prepare(self) -> None: ...
    async def measure(self, number: int) -> Round: ...
