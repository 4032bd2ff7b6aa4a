"""What to write where YAML stops: its parser says what it expected, people want to know what to do.

Told of what analysts write into definitions: conditions begin with quotes, `!` and `>=`, hold
colons and commas, and come from pages and word processors.
"""

from __future__ import annotations

import re

from app.core.odd_characters import ODD, instead

Place = tuple[int, int]
"""Line and column, counted from 1."""
Advice = tuple[str, Place]

_FIELD = re.compile(r"(?P<lead>\s*(?:-\s+)*(?P<key>[\w-]+)\s*:\s+)(?P<value>\S.*?)\s*$")
_TEXT_AND_MORE = re.compile(r"""("[^"]*"|'[^']*')\s*(?:[=!<>+*-]|(?:in|not|and|or)\b)""")
_TEXT_ALONE = re.compile(r"""("[^"]*"|'[^']*')(\s+#.*)?""")
_CONDITIONS = ("when", "keep")
_GLUED = (
    ("colon", re.compile(r"(?P<lead>\s*(?:-\s+)*[\w-]+:)\S")),
    ("dash", re.compile(r"(?P<lead>\s*-)[^\s-]")),
)
_LONGEST = 80

_BY_PROBLEM = (
    ("found character '\\t'", "a tab stands here; YAML is indented with spaces"),
    ("found unexpected end of stream", "the quote that opens here is not closed"),
    ("unknown escape", "a backslash in double quotes begins an escape; use single quotes"),
    ("could not find expected ':'", "a key and a colon expected, such as when: ..."),
    ("mapping values are not allowed", "this fits nowhere; is it indented like its neighbours?"),
    ("expected <block end>", "this fits nowhere; is it indented like its neighbours?"),
    ("expected ',' or", "a comma or a closing bracket expected; put a value into quotes"),
    ("expected ' '", "! begins a tag in YAML; put the value into quotes, and write not for !"),
)


def advise(text: str, problem: str, place: Place) -> Advice | None:
    """Say what to write, and where, when the parser found a problem at a place."""
    lines = text.split("\n")
    line = min(place[0], len(lines))
    there = [number for number in (line, line - 1) if number >= 1]
    return (
        _odd_character(lines, there)
        or _unquoted(lines[line - 1], line, problem)
        or _glued(lines, there)
        or next(((told, place) for words, told in _BY_PROBLEM if words in problem), None)
    )


def _odd_character(lines: list[str], there: list[int]) -> Advice | None:
    for line in there:
        if odd := ODD.search(lines[line - 1]):
            return str(instead(odd[0])), (line, odd.start() + 1)
    return None


def _unquoted(line: str, number: int, problem: str) -> Advice | None:
    """A value that YAML takes for something else, for want of quotes."""
    field = _FIELD.match(line)
    if field is None or (why := _why_quotes(field, problem)) is None:
        return None
    return f"{why}: {_quoted(field['value'])}", (number, field.end("lead") + 1)


def _why_quotes(field: re.Match[str], problem: str) -> str | None:
    value, whole = field["value"], "put the whole into quotes"
    ends_early = "expected <block end>" in problem and not _TEXT_ALONE.fullmatch(value)
    if value[0] in "'\"" and ends_early:
        if _TEXT_AND_MORE.match(value):
            return f"YAML takes the first text for the whole value; {whole}"
        return "the quotes inside end the value; use the other kind there"
    if value[0] == "!" and field["key"] in _CONDITIONS:
        return f"! begins a tag in YAML, and a condition says not; {whole}"
    if value[0] in ">|" and "expected" in problem:
        return f"{value[0]} begins a text over several lines in YAML; {whole}"
    if value[0] in "%@`[" and "found" in problem:
        return f"{value[0]} has a meaning of its own in YAML; {whole}"
    if ": " in value and "mapping values are not allowed" in problem:
        return f"a colon and a space divide a key from its value in YAML; {whole}"
    return None


def _quoted(value: str) -> str:
    """A value in double quotes; for the texts in a condition single ones are as good."""
    if value[0] == "!":
        value = f"not {value.lstrip('! ')}"
    elif value[0] == value[-1] and value[0] in "'\"" and not _TEXT_AND_MORE.match(value):
        value = value[1:-1]
    short = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
    if "'" in short:
        return '"' + short.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return '"' + short.replace('"', "'") + '"'


def _glued(lines: list[str], there: list[int]) -> Advice | None:
    for line in there:
        for mark, pattern in _GLUED:
            if found := pattern.match(lines[line - 1]):
                return f"write a space after the {mark}", (line, found.end("lead") + 1)
    return None
