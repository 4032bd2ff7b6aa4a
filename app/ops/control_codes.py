"""Control codes, which a terminal obeys: what they look like where people look at data."""

from __future__ import annotations

import json
import re

_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0, DEL, C1, separators of lines, what turns the direction of text, and what is no character."""
_OBEYED_IN_LINES = re.compile(_OBEYED.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))


def escaped(text: str, *, lines: bool = False) -> str:
    """Write control codes as JSON does, so that JSON stays JSON; `lines`: but for ends of lines.

    An id may hold any character, and a terminal that gets `ESC ] 0 ;` renames its window.
    """
    return (_OBEYED_IN_LINES if lines else _OBEYED).sub(_told, text)


def _told(code: re.Match[str]) -> str:
    return json.dumps(code[0])[1:-1]
