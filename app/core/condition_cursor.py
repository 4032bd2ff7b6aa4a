"""Where the parser of conditions stands: the tokens ahead, and how deep and wide it has gone."""

from __future__ import annotations

import re

from app.core.condition_tokens import Token, grouped, tokens
from app.core.condition_tree import ConditionError

DEEPEST_NESTING = 32
MOST_OPERATORS = 64

CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "none": None}
RESERVED = {*CONSTANTS, "and", "or", "not", "in"}

_CODE = re.compile("[A-Z]{3}")
_WORDS = {
    "is": "write == instead of is (!= instead of is not)",
    "equals": "write == instead of equals",
    "between": "write 1 <= purchases <= 3 instead of between",
    "contains": "write 'golf' in profile.interests instead of contains",
    "like": "there is no like; a text is compared as a whole, with == or in",
    "matches": "there is no matches; a text is compared as a whole, with == or in",
    "then": "a condition is no if; leave then out",
    "ago": "write how long ago as a window: purchases_in(30)",
}


class TokenCursor:
    """The tokens of one condition, taken one by one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.place = 0
        self.nesting = 0
        self.operators = 0

    def ahead(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.ahead()
        self.place += token.kind != "end"
        return token

    def sees(self, *values: str) -> bool:
        """Tell whether one of these symbols or reserved words comes next."""
        return self.ahead().kind in ("symbol", "word") and self.ahead().value in values

    def unexpected(self, wanted: str) -> ConditionError:
        token = self.ahead()
        if error := grouped(self.text, token.offset):
            return error
        if token.kind == "word" and token.value.lower() in RESERVED:
            if token.value not in RESERVED:
                return in_small_letters(token)
        elif instead := self._instead(token):
            return ConditionError(instead, token.offset)
        got = self.text[token.offset : token.end][:40] or "the condition ends"
        got = got if token.kind == "end" else f"found '{got}'"
        return ConditionError(f"{got} where {wanted} should follow", token.offset)

    def _instead(self, token: Token) -> str | None:
        """What people write here who know another language."""
        if token.kind == "word":
            if _CODE.fullmatch(token.value) and self.tokens[self.place - 1].kind == "number":
                return f"an amount is in the base currency; leave {token.value} out"
            return _WORDS.get(token.value.lower())
        if token.value == "," and token.kind == "symbol":
            around = self.text[token.offset - 1 : token.offset + 2]
            if around[:1].isdigit() and around[2:].isdigit():
                return "write a decimal with a dot: 0.5"
            return "write a list in square brackets: ['a', 'b']"
        return None

    def deeper(self, offset: int) -> None:
        self.nesting += 1
        if self.nesting > DEEPEST_NESTING:
            raise ConditionError(
                f"brackets and signs are nested deeper than {DEEPEST_NESTING}", offset
            )

    def count_operator(self, operator: Token) -> None:
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            raise ConditionError(
                f"more than {MOST_OPERATORS} of +, - and * in one condition", operator.offset
            )


def in_small_letters(token: Token) -> ConditionError:
    """Make the error for a reserved word in capitals."""
    return ConditionError(f"write {token.value.lower()} in small letters", token.offset)
