"""Strict JSON: what RFC 8259 allows, in Unicode, nested 64 deep at most, and nothing else."""

from __future__ import annotations

import json
import math
import re

MAX_DEPTH = 64
"""Containers within containers; contract section 2, *Dead letters*."""

_DIGITS = 40  # a longer integer is beyond every limit, and reading it could take long

_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
    r"|\\.",
    re.DOTALL,
)


class NotJson(Exception):
    """The bytes are no JSON text; the message says where and why, without quoting them."""


def parse(value: bytes) -> object:
    """Read a JSON text. An integer of more than 40 digits comes back as an infinite float.

    Of fields of one name in an object the last one counts. Raises NotJson.
    """
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8: byte {error.start} ({error.reason})") from error
    if value.count(b"[") + value.count(b"{") > MAX_DEPTH and _too_deep(text):
        raise NotJson(f"nested deeper than {MAX_DEPTH}")
    if "\\u" in text and any(found.group(1) for found in _ESCAPES.finditer(text)):
        raise NotJson("an escape that is half of a surrogate pair: no Unicode text")
    try:
        parsed: object = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at character {error.pos}") from error
    except ValueError as error:
        raise NotJson(str(error)) from error
    return parsed


def _too_deep(text: str) -> bool:
    depth = 0
    for token in _TOKENS.finditer(text):
        first = token.group()[0]
        if first in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif first in "]}":
            depth -= 1
    return False


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


def _integer(text: str) -> int | float:
    if len(text) <= _DIGITS:
        return int(text)
    return -math.inf if text[0] == "-" else math.inf


_decoder = json.JSONDecoder(parse_constant=_constant, parse_int=_integer)
