"""Characters that come along when text is copied from a page or a word processor, and look like
others or like nothing: what to write instead.
"""

from __future__ import annotations

import re
import unicodedata

_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_INVISIBLE = "\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
ODD = re.compile(f"[{_SPACES}{_INVISIBLE}]")
"""A space that is none to YAML and to conditions, or something that nobody sees."""
_INVISIBLES = re.compile(f"[{_INVISIBLE}]")
_LOOK_LIKE = {
    **dict.fromkeys("‐‑‒–—―−﹣", "-"),
    **dict.fromkeys("×·∙⋅✕", "*"),
    **dict.fromkeys("“”‘’‚„«»‹›´′″`", "'"),
}


def instead(character: str) -> str | None:
    """Say what to write for a character that is mistaken for another; None where it is not."""
    if character == "\u00a0":
        return "a no-break space (U+00A0) stands here; write a plain space"
    if _INVISIBLES.match(character):
        return f"an invisible character ({_code(character)}) stands here; delete it"
    if ODD.match(character):
        return f"a space of its own kind ({_code(character)}) stands here; write a plain space"
    if character in _LOOK_LIKE:
        meant = _LOOK_LIKE[character]
        if meant == "'":
            return "write plain quotes: 'golf'"
        return f"write {meant} instead of {character} ({_code(character)})"
    plain = unicodedata.normalize("NFKC", character)
    if plain != character and plain.isascii() and plain.strip():
        return f"write {plain} instead of {character} ({_code(character)})"
    return None


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
