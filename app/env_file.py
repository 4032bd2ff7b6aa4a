"""The lines of a `.env` file, as they stand: nothing is put in for `${NAME}`.

What is wrong with a line of ours is told and not passed over; what others keep in the same file is
their business.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from dotenv.parser import Binding, parse_stream

from app.wire.plain_text import NotText, plain

_SINGLE_QUOTED = re.compile(r"[^=]*=\s*'")
_BEFORE_THE_NAME = re.compile(r"\s*(?:export\s+)?'?")
_REPLACED = "\ufffd"


class EnvFile(NamedTuple):
    """The values that could be read, and a sentence for each thing that is wrong.

    No sentence has a value: it may be a secret.
    """

    values: Mapping[str, str]
    problems: tuple[str, ...]


NOTHING = EnvFile({}, ())


def read(file: Path, prefix: str) -> EnvFile:
    """Read what begins with the prefix. A file that is not there, or is no file, has nothing."""
    if not file.is_file():
        return NOTHING
    try:
        raw = file.read_bytes()
    except OSError as error:
        return EnvFile({}, (f"{file}: cannot be read: {error.strerror}",))
    try:
        raw = plain(raw)
    except NotText as error:
        return EnvFile({}, (f"{file}, line 1: {error}",))
    if b"\0" in raw:
        return EnvFile({}, (f"{file}, line 1: this is UTF-16; save the file as UTF-8",))
    values: dict[str, str] = {}
    problems = [f"{file}, {problem}" for problem in _not_utf_8(raw)]
    for binding in parse_stream(io.StringIO(raw.decode("utf-8", "replace"))):
        fault = _fault(binding, prefix)
        if fault is not None:
            problems.append(f"{file}, line {_line(binding)}: {fault}")
        elif (binding.key or "").startswith(prefix) and _REPLACED not in (binding.value or ""):
            values[str(binding.key)] = str(binding.value)
    return EnvFile(values, tuple(problems))


def _not_utf_8(raw: bytes) -> Iterator[str]:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        yield f"line {line}: the byte 0x{raw[error.start]:02X} is no UTF-8; save the file as UTF-8"


def _fault(binding: Binding, prefix: str) -> str | None:
    """What is wrong with a line of ours; None for others."""
    text = binding.original.string
    if not _BEFORE_THE_NAME.sub("", text, count=1).startswith(prefix):
        return None
    if binding.error or binding.value is None:
        return f"this is not {prefix}NAME=value; a value in quotes ends with one"
    if "${" in binding.value and not _SINGLE_QUOTED.match(text):
        return (
            f"{binding.key} has ${{, and nothing is put in for a variable here; "
            "write the value in single quotes to have it as it stands"
        )
    return None


def _line(binding: Binding) -> int:
    """The parser counts from the blank lines before."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
