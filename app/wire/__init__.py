"""Bytes to values and back, pure: what comes in, what goes out, what is kept."""
