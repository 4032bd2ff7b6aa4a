"""Everything on one machine: a broker as a child process, the demo and its data."""
