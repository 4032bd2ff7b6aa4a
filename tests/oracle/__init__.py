"""A second, independent reading of the contract: plain, slow, from scratch at every instant."""

from .run import Result, Scenario, run

__all__ = ["Result", "Scenario", "run"]
