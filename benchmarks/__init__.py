"""How fast it is, in one run on one machine; `python -m benchmarks`, or `make bench`."""
