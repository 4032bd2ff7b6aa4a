"""What was probably meant by a name that is none of those there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 64


def none_such(what: str, asked: str, known: Iterable[str]) -> str:
    """Say that there is none, which was probably meant, and which there are."""
    names = list(known)
    short = asked if len(asked) <= _LONGEST else f"{asked[:_LONGEST]}..."
    close = get_close_matches(asked.lower(), names, n=1)
    meant = f"; did you mean '{close[0]}'?" if close else ""
    return f"there is no {what} '{short}'{meant} (there are: {', '.join(names) or 'none'})"
