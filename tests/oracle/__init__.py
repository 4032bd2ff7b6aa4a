"""A second, independent reading of the contract: plain, slow, from scratch at every instant."""

from .history import rungs_at
from .run import Result, Scenario, run, run_as_they_come, run_crossing

__all__ = ["Result", "Scenario", "run", "run_as_they_come", "run_crossing", "rungs_at"]
