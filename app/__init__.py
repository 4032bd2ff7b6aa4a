"""Loyalty Ladder: customers move along ladders as their events arrive, exactly once.

The folders, in the order that data moves:

    wire      bytes from Kafka become values, and values bytes
    stream    a worker: fetches, merges by time, folds, commits one transaction, stores
    core      the rules, pure: a record and an event give the next record and what to publish
    offline   the same rules over files: a backtest, which runs them in the engine
    api, ops  what people and monitors see
    embedded  a broker for one machine, the demo and its data
    cli       the commands

The engine (`_engine`, written in Rust in `engine/`) has the rules once more. A backtest runs on it,
and the worker will; until then `core` stays, and tests hold the two equal.
"""
