"""Where the parser of conditions stands: the tokens ahead, and how deep and wide it has gone."""

from __future__ import annotations

from app.core.condition_tokens import Token, tokens
from app.core.condition_tree import ConditionError

DEEPEST_NESTING = 32
MOST_OPERATORS = 64

CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "none": None}
RESERVED = {*CONSTANTS, "and", "or", "not", "in"}


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
        if token.kind == "word" and token.value.lower() in RESERVED:
            if token.value not in RESERVED:
                return in_small_letters(token)
        elif token.kind == "word" and token.value == "is":
            return ConditionError("write == instead of is (!= instead of is not)", token.offset)
        got = self.text[token.offset : token.end][:40] or "the condition ends"
        got = got if token.kind == "end" else f"found '{got}'"
        return ConditionError(f"{got} where {wanted} should follow", token.offset)

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
