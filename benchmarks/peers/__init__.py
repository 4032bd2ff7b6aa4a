"""The same work by others, beside the worker: `python -m benchmarks.peers`."""
