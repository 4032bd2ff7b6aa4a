"""How programs and figures of the race are called."""

OURS = "ladder"
RIVAL = "streams-eos"
NAMES = (RIVAL, OURS, "streams-alo", "quix-eos", "quix-alo", "faust")
"""In the order of a round: the rival before us, so that we can compare."""
HALF = "events/s, second half"
CPU = "CPU s per million"
MEMORY = "RSS MB"
WRONG = "customers wrong"
FASTER = f"times the second half of {RIVAL}"
CPU_SHARE = f"of the CPU s per million of {RIVAL}"
MEMORY_SHARE = f"of the memory of {RIVAL}"
LATENCY_SHARE = {"p50 ms": f"of the p50 of {RIVAL}", "p99 ms": f"of the p99 of {RIVAL}"}
