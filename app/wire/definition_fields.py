"""The fields of a ladder definition: what each may be, and what to write where it is not."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import TypeVar

from app.core.conditions import Condition, ConditionError, condition
from app.core.ladder import Climb, Down, Kind, Ladder, Rung, Step
from app.core.odd_characters import ODD, instead
from app.core.unreachable import unreachable
from app.errors import DefinitionError
from app.wire.located_yaml import Listing, Mapping, Node, Place, Scalar

MOST_RUNGS = 64
LONGEST_ID = 64
LONGEST_WORD = 64
LONGEST_TITLE = 256
LONGEST_GRACE_DAYS = 36_500
GREATEST_VERSION = 2**31 - 1

_DAY = 24 * 60 * 60 * 1_000_000
_ID = re.compile(r"[a-z0-9-]+")
_CUT_OFF = re.compile(r"""[)\]'"]$""")
_WHOLE = re.compile(r"[1-9][0-9]{0,17}")
_LADDER_KEYS = ("id", "version", "title", "kind", "climb", "down", "announce", "rungs")
_RUNG_KEYS = ("id", "title", "when", "override", "suggest")
_DOWN_KEYS = ("grace_days", "step")
_SEGMENT_HAS_NO = {
    "climb": "a segment has no climb: the first rung that holds is taken; remove it",
    "down": "a segment has no down: its standing is always its target; remove it",
}

_KIND: tuple[Kind, ...] = ("ladder", "segment")
_CLIMB: tuple[Climb, ...] = ("cumulative", "free")
_STEP: tuple[Step, ...] = ("all", "one")

_Choice = TypeVar("_Choice", bound=str)


class DefinitionReader:
    """Reads one definition and gathers what is wrong with it."""

    def __init__(self, file: str) -> None:
        self.problems: list[DefinitionError] = []
        self.id_place = Place(1, 1)
        self._file = file

    def ladder(self, node: Node) -> Ladder | None:
        """Return the ladder; None, or one that is of no use, where there are problems."""
        fields = self._fields(node, _LADDER_KEYS, ("id", "version", "rungs"), "a ladder")
        if fields is None:
            return None
        if "id" in fields:
            self.id_place = fields["id"].place
        kind = self._choice(fields.get("kind"), _KIND)
        climb: Climb = "cumulative"
        down = Down()
        if kind == "segment":
            for key in _SEGMENT_HAS_NO.keys() & fields.keys():
                self._wrong(fields[key].place, _SEGMENT_HAS_NO[key])
        else:
            climb = self._choice(fields.get("climb"), _CLIMB)
            down = self._down(fields.get("down"))
        ladder_id = self._id(fields.get("id"))
        version = self._whole(fields.get("version"), "version", GREATEST_VERSION)
        title = self._title(fields.get("title"))
        announce = self._flag(fields.get("announce"), "announce")
        rungs = self._rungs(fields.get("rungs"), kind, climb)
        if self.problems:
            return None
        return Ladder(
            id=ladder_id,
            version=version,
            title=title,
            kind=kind,
            climb=climb,
            down=down,
            announce=announce,
            rungs=rungs,
        )

    def _wrong(self, place: Place | tuple[int, int], message: str) -> None:
        line, column = place
        self.problems.append(DefinitionError(self._file, line, column, message))

    def _fields(
        self, node: Node, known: Collection[str], needed: Collection[str], what: str
    ) -> dict[str, Node] | None:
        """Return the fields of a mapping; None if it is none."""
        if not isinstance(node, Mapping):
            self._wrong(node.place, f"{what} is written as fields: {', '.join(known)}")
            return None
        fields: dict[str, Node] = {}
        for key, value in node.entries:
            if key.text not in known:
                self._wrong(key.place, f"unknown key '{_short(key.text)}'; {_meant(key, known)}")
            elif key.text in fields:
                self._wrong(key.place, f"a second '{key.text}'; keep one")
            else:
                fields[key.text] = value
        for missing in [name for name in needed if name not in fields]:
            self._wrong(node.place, f"{what} needs '{missing}'")
        return fields

    def _text(self, node: Node | None, what: str, longest: int) -> str | None:
        """Return a text that says something; None (and a problem) if it is none."""
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self._wrong(node.place, f"{what} is a text")
        elif node.kind == "null" or not node.text.strip():
            self._wrong(node.place, f"{what} is empty")
        elif node.kind != "text":
            quoted = f'"{_short(node.text)}"'
            self._wrong(
                node.place, f"{what} is a text, and YAML reads a {node.kind}; write {quoted}"
            )
        elif len(node.text) > longest:
            self._wrong(node.place, f"{what} has {len(node.text)} characters; at most {longest}")
        else:
            return node.text
        return None

    def _id(self, node: Node | None) -> str:
        text = self._text(node, "an id", LONGEST_ID)
        if text is None or node is None:
            return ""
        if not _ID.fullmatch(text):
            fitting = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
            example = f": {fitting}" if fitting else ""
            self._wrong(node.place, f"an id has a-z, 0-9 and '-' only{example}")
        return text

    def _choice(self, node: Node | None, choices: tuple[_Choice, ...]) -> _Choice:
        """Return the one that is written; the first where nothing is."""
        if node is None:
            return choices[0]
        for choice in choices:
            if isinstance(node, Scalar) and node.text == choice:
                return choice
        self._wrong(node.place, f"write {' or '.join(choices)}")
        return choices[0]

    def _whole(self, node: Node | None, what: str, most: int) -> int:
        if node is None:
            return 1
        if isinstance(node, Scalar) and node.kind == "number" and _WHOLE.fullmatch(node.text):
            if int(node.text) <= most:
                return int(node.text)
            self._wrong(node.place, f"{what} is at most {most}")
        else:
            self._wrong(node.place, f"{what} is a whole number, 1 or more, without quotes")
        return 1

    def _flag(self, node: Node | None, what: str) -> bool:
        if node is None:
            return False
        if isinstance(node, Scalar) and node.kind == "boolean" and node.text in ("true", "false"):
            return node.text == "true"
        self._wrong(node.place, f"{what} is true or false, without quotes")
        return False

    def _title(self, node: Node | None) -> dict[str, str]:
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self._wrong(node.place, "a title is given by language: {en: Ladder, vi: Bậc thang}")
            return {}
        titles: dict[str, str] = {}
        for key, value in node.entries:
            text = self._text(value, "a title", LONGEST_TITLE)
            if key.text in titles:
                self._wrong(key.place, f"a second '{_short(key.text)}'; keep one")
            elif text is not None:
                titles[key.text] = text
        return titles

    def _down(self, node: Node | None) -> Down:
        if node is None:
            return Down()
        if isinstance(node, Scalar) and node.text in ("never", "now"):
            return Down("never" if node.text == "never" else "now")
        if not isinstance(node, Mapping):
            self._wrong(node.place, "write never, now, or {grace_days: 30, step: one}")
            return Down()
        fields = self._fields(node, _DOWN_KEYS, _DOWN_KEYS, "a grace") or {}
        days = self._whole(fields.get("grace_days"), "grace_days", LONGEST_GRACE_DAYS)
        step = self._choice(fields.get("step"), _STEP)
        return Down("grace", days * _DAY, step)

    def _rungs(self, node: Node | None, kind: Kind, climb: Climb) -> list[Rung]:
        if node is None:
            return []
        if not isinstance(node, Listing) or not node.items:
            self._wrong(node.place, "rungs is a list with at least one rung, each begun with '-'")
            return []
        if len(node.items) > MOST_RUNGS:
            self._wrong(
                node.items[MOST_RUNGS].place, f"{len(node.items)} rungs; at most {MOST_RUNGS}"
            )
            return []
        rungs: list[Rung] = []
        places: dict[int, Place] = {}
        seen: set[str] = set()
        for item in node.items:
            fields = self._fields(item, _RUNG_KEYS, ("id", "when"), "a rung") or {}
            rung = self._rung(fields, kind)
            if "id" in fields and rung.id:
                if rung.id in seen:
                    self._wrong(fields["id"].place, f"a second rung '{rung.id}'; rename one")
                seen.add(rung.id)
            if rung.condition is not _UNREADABLE:
                places[len(rungs)] = fields["when"].place
                rungs.append(rung)
        if rungs and all(rung.override for rung in rungs) and len(rungs) == len(node.items):
            self._wrong(node.place, "all rungs are overrides; at least one must be none")
        for place, message in unreachable(kind, climb, rungs):
            self._wrong(places[place], message)
        return rungs

    def _rung(self, fields: dict[str, Node], kind: Kind) -> Rung:
        override = self._flag(fields.get("override"), "override")
        if kind == "segment" and "override" in fields:
            self._wrong(
                fields["override"].place,
                "a segment has no overrides: the first rung that holds is taken; remove it",
            )
        suggest = fields.get("suggest")
        if isinstance(suggest, Scalar) and suggest.kind == "null":
            suggest = None
        return Rung(
            id=self._id(fields.get("id")),
            condition=self._condition(fields.get("when")),
            title=self._title(fields.get("title")),
            override=override,
            suggest=self._text(suggest, "suggest", LONGEST_WORD),
        )

    def _condition(self, node: Node | None) -> Condition:
        text = self._text(node, "a condition", 1 << 20)
        if text is None or not isinstance(node, Scalar):
            return _UNREADABLE
        try:
            return condition(text)
        except ConditionError as error:
            self._wrong(node.source.place(node.text, error.offset), error.message)
            return _UNREADABLE


_UNREADABLE = condition("true")
"""Stands for a condition that could not be read, in a ladder that is refused for it."""


def _meant(key: Scalar, known: Collection[str]) -> str:
    if odd := ODD.search(key.text):
        return str(instead(odd[0]))
    if _CUT_OFF.search(key.text):
        return "a comma divides fields within { }: put the value before it into quotes"
    close = get_close_matches(key.text.lower(), known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."
