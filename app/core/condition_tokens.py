"""The text of a condition as tokens, each with its place. What is no token says what to write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.core import odd_characters
from app.core.condition_tree import ConditionError

TokenKind: TypeAlias = Literal["word", "number", "text", "symbol", "end"]

LONGEST_NUMBER = 18
"""Digits of a number: beyond any amount, and exact in 64 bits."""
LONGEST_TEXT = 256


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, quoted text or symbol. value is the word, the symbol or the text meant."""

    kind: TokenKind
    value: str
    offset: int
    end: int


_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_GLUED = re.compile(r"[\w.]+")
_SYMBOL = re.compile(r"==|!=|<=|>=|<|>|\+|-|\*|\(|\)|\[|\]|,|\.")
_QUOTED = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
_ESCAPE = re.compile(r"\\(.)")

_GROUPED = re.compile(
    r"(?<![\w.])[0-9]{1,3}(?P<mark>[,.'’_ \u00a0\u202f])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?![0-9])"
)
_MARKS = {",": "commas", ".": "dots", "_": "_", "'": "quotes", "’": "quotes"}

_MONEY = "an amount is a plain number of minor units: 12500 for 125.00"
_INSTEAD = (
    ("**", "there is no **; write a * a"),
    ("&&", "write and instead of &&"),
    ("||", "write or instead of ||"),
    ("<>", "write != instead of <>"),
    ("=>", "write >= instead of =>"),
    ("=<", "write <= instead of =<"),
    ("===", "write == instead of ==="),
    ("=", "write == instead of ="),
    ("&", "write and instead of &"),
    ("|", "write or instead of |"),
    ("!", "write not instead of !"),
    ("/", "there is no division; multiply the other side: spend >= 500 * purchases"),
    ("%", "there is no %; only +, - and * compute"),
    *((sign, _MONEY) for sign in "$€£¥₫"),
    ("{", "write a list as ['a', 'b']"),
    ("#", "a condition has no comments; put it after the closing quote, or on a line of its own"),
    ("\\", "a backslash has no meaning outside quotes"),
    (";", "one condition only; join two with and, or"),
    ("?", "there is no ?; use and, or, not"),
    ("≥", "write >= instead of ≥"),
    ("≤", "write <= instead of ≤"),
    ("≠", "write != instead of ≠"),
)


def tokens(text: str) -> list[Token]:
    """Cut a condition into tokens, ending with one of kind `end`; ConditionError otherwise."""
    found: list[Token] = []
    place = _skip_space(text, 0)
    while place < len(text):
        token = _token(text, place)
        found.append(token)
        place = _skip_space(text, token.end)
    found.append(Token("end", "the end", len(text), len(text)))
    return found


def _skip_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _token(text: str, place: int) -> Token:
    if match := _WORD.match(text, place):
        return Token("word", match.group(), place, match.end())
    if match := _NUMBER.match(text, place):
        return _number(text, place, match.end())
    if text[place] in "'\"":
        return _quoted(text, place)
    for wrong in ("**", "<>"):
        if text.startswith(wrong, place):
            raise _stray(text, place)
    if (match := _SYMBOL.match(text, place)) and not text.startswith("===", place):
        return Token("symbol", match.group(), place, match.end())
    raise _stray(text, place)


def grouped(text: str, place: int) -> ConditionError | None:
    """Make the error for a place in a number such as 1,000,000; None where there is none."""
    for match in _GROUPED.finditer(text):
        if match.start() <= place < match.end():
            plain = re.sub("[^0-9]", "", match.group())
            mark = _MARKS.get(match["mark"], "spaces")
            return ConditionError(f"write {plain} without {mark}", match.start())
    return None


def _stray(text: str, place: int) -> ConditionError:
    if error := grouped(text, place):
        return error
    if text[place] == "%" and text[place - 1].isdigit() and place:
        return ConditionError("a percentage is a plain number: 20", place)
    for wrong, instead in _INSTEAD:
        if text.startswith(wrong, place):
            return ConditionError(instead, place)
    meant = odd_characters.instead(text[place]) or f"{text[place]!r} has no meaning in a condition"
    return ConditionError(meant, place)


def _number(text: str, place: int, end: int) -> Token:
    glued = _GLUED.match(text, place)
    whole = glued.group() if glued else text[place:end]
    written = text[place:end]
    if len(whole) > len(written):
        raise ConditionError(_number_instead(whole[:40]), place)
    if sum(character != "." for character in written) > LONGEST_NUMBER:
        raise ConditionError(
            f"a number of more than {LONGEST_NUMBER} digits is more than can be counted", place
        )
    if len(written) > 1 and written[0] == "0" and written[1] != ".":
        raise grouped(text, place) or ConditionError("write a number without leading zeros", place)
    return Token("number", written, place, end)


def _number_instead(written: str) -> str:
    plain = written.replace("_", "")
    if plain.isdecimal():
        return f"write {plain} without _"
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{3})+", written):
        return f"write {written.replace('.', '')} without dots"
    if days := re.fullmatch(r"([0-9]+)d(ays?)?", written):
        return f"write {days[1]} without a unit: windows are in days"
    if re.fullmatch(r"[0-9.]+[eE][0-9]*", written):
        return f"write the number {written} out, without e"
    if re.fullmatch(r"[0-9]+\.", written):
        return f"write {written[:-1]} without the dot"
    return f"'{written}' is no number; write it in digits"


def _quoted(text: str, place: int) -> Token:
    match = _QUOTED.match(text, place)
    if match is None:
        raise ConditionError("the quote that opens here is not closed", place)
    inside = match.group()[1:-1]
    for escape in _ESCAPE.finditer(inside):
        if escape.group(1) not in "\\'\"":
            raise ConditionError(
                "in quotes a backslash stands only before a quote or a backslash",
                place + 1 + escape.start(),
            )
    value = _ESCAPE.sub(r"\1", inside)
    if len(value) > LONGEST_TEXT:
        raise ConditionError(
            f"the text has {len(value)} characters; no fact has more than {LONGEST_TEXT}", place
        )
    return Token("text", value, place, match.end())
