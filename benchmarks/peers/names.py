"""How programs and figures of the race are called."""

OURS = "ladder"
RIVAL = "streams-eos"
NAMES = (RIVAL, OURS, "streams-alo", "quix-eos", "quix-alo", "faust")
"""In the order of a round: the rival before us, so that we can compare."""
HALF = "events/s, second half"
CPU = "CPU s per million"
MEMORY = "RSS MB"
WRONG = "customers wrong"
FASTER = "times the events/s of its second half"
CPU_SHARE = "of its CPU s per million"
MEMORY_SHARE = "of its memory"
LATENCY_SHARE = {"p50 ms": "of its p50", "p99 ms": "of its p99"}
"""Of the rival's, in the same round."""
