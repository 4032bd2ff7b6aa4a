"""Every line that the code logs, found in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from docs.made import ROOT

LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
LOGGER = "log"
"""What a logger of ours is called, in every module."""


@dataclass(frozen=True)
class Line:
    """One call: where, how bad, the sentence, the name (None without one), what else it says."""

    place: str
    level: str
    event: str | None
    action: str | None
    fields: tuple[str, ...]


def lines() -> Iterator[Line]:
    """All of them, module by module."""
    for file in sorted((ROOT / "app").rglob("*.py")):
        name = str(file.relative_to(ROOT))
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and (level := _level(node)) is not None:
                yield _line(f"{name}:{node.lineno}", level, node)


def _level(call: ast.Call) -> str | None:
    asked = call.func
    if isinstance(asked, ast.Attribute) and isinstance(asked.value, ast.Name):
        return asked.attr if asked.value.id == LOGGER and asked.attr in LEVELS else None
    return None


def _line(place: str, level: str, call: ast.Call) -> Line:
    given = {keyword.arg or "**": keyword.value for keyword in call.keywords}
    action = given.pop("action", None)
    event = call.args[0] if call.args else None
    return Line(place, level, _text(event), _text(action), tuple(given))


def _text(node: ast.expr | None) -> str | None:
    found = node.value if isinstance(node, ast.Constant) else None
    return found if isinstance(found, str) else None
