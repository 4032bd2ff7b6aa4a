"""A second, independent reading of the contract: plain, slow, from scratch at every instant."""

from .history import rungs_at
from .run import Result, Scenario, run, run_as_they_come

__all__ = ["Result", "Scenario", "run", "run_as_they_come", "rungs_at"]
