"""YAML as a tree of nodes that know their line and column, of the plain kind people write by hand.

Text, lists and mappings only: no anchors, aliases, tags, second documents or deep nesting, each of
which can make a small file large or strange. Built from the parser's events, so that nothing in
the text can exhaust the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import yaml

from app.wire.plain_text import NotText, plain
from app.wire.scalar_places import Source
from app.wire.yaml_advice import advise

MOST_BYTES = 256 * 1024
DEEPEST = 8

ScalarKind: TypeAlias = Literal["text", "null", "boolean", "number", "date"]


class Place(NamedTuple):
    """Where in the file, counted from 1."""

    line: int
    column: int


class LocatedError(Exception):
    """The text is no YAML of the plain kind; place is None where the whole file is meant."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value: its text, and what YAML takes it for when it stands without quotes."""

    text: str
    kind: ScalarKind
    place: Place
    source: Source


@dataclass(frozen=True, slots=True)
class Listing:
    """`- a` or `[a]`."""

    place: Place
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mapping:
    """`a: b` or `{a: b}`, in the order of the file; a key may stand twice."""

    place: Place
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)


Node: TypeAlias = "Scalar | Listing | Mapping"

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_RESOLVER = yaml.resolver.Resolver()
_KINDS: dict[str, ScalarKind] = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:null": "null",
    "tag:yaml.org,2002:bool": "boolean",
    "tag:yaml.org,2002:int": "number",
    "tag:yaml.org,2002:float": "number",
    "tag:yaml.org,2002:timestamp": "date",
}


def read(data: bytes) -> Node:
    """Read one document. Raises LocatedError."""
    text = _decoded(data)
    try:
        return _Builder(text).document()
    except yaml.MarkedYAMLError as error:
        raise _told(text, error) from error
    except yaml.reader.ReaderError as error:
        place = _place_of(text, error.position)
        raise LocatedError("a control character has no place in a text file", place) from error
    except ValueError as error:  # \U00110000 in double quotes
        raise LocatedError(f"not YAML: {error}") from error


def _told(text: str, error: yaml.MarkedYAMLError) -> LocatedError:
    """Say where it began, when the parser noticed only at the end of what it was reading, and what
    to write there.
    """
    message = error.problem or error.context or "it cannot be parsed"
    mark = error.problem_mark or error.context_mark
    if message.startswith(("could not find expected ':'", "found unexpected end of stream")):
        mark = error.context_mark or mark
    if mark is None:
        return LocatedError(f"not YAML: {message}")
    advice, place = advise(text, message, _place(mark)) or (f"not YAML: {message}", _place(mark))
    return LocatedError(advice, Place(*place))


def _decoded(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise LocatedError(f"the file has {len(data)} bytes; at most {MOST_BYTES} are read")
    try:
        data = plain(data, MOST_BYTES)
    except NotText as error:
        raise LocatedError(str(error)) from error
    if len(data) > MOST_BYTES:
        raise LocatedError(f"unpacked, the file has more than {MOST_BYTES} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        raise LocatedError("not UTF-8 text", _place_of(before, len(before))) from error


class _Builder:
    """Takes the parser's events in order and hangs each node on the one that is open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._open: list[Listing | Mapping] = []
        self._keys: list[Scalar | None] = []
        self._root: Node | None = None

    def document(self) -> Node:
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise LocatedError("a second document; one ladder a file", _of(event))
            elif isinstance(event, yaml.NodeEvent):
                self._take(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._keys.pop()
        if self._root is None:
            raise LocatedError("the file is empty")
        return self._root

    def _take(self, event: yaml.NodeEvent) -> None:
        place = _of(event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise LocatedError("write it out: & and * (anchors, aliases) are not read here", place)
        if getattr(event, "tag", None) is not None:
            told, at = advise(self._text, "a tag", place) or (
                "remove the tag that begins with !",
                place,
            )
            raise LocatedError(told, Place(*at))
        if isinstance(event, yaml.ScalarEvent):
            self._hang(self._scalar(event, place))
            return
        if len(self._open) == DEEPEST:
            raise LocatedError(f"nested deeper than {DEEPEST}", place)
        opened = Listing(place) if isinstance(event, yaml.SequenceStartEvent) else Mapping(place)
        self._hang(opened)
        self._open.append(opened)
        self._keys.append(None)

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Scalar:
        kind: ScalarKind = "text"
        if event.style is None:
            kind = _kind(event.value)
        assert event.start_mark is not None, "the parser sets it"
        assert event.end_mark is not None, "the parser sets it"
        if _SURROGATE.search(event.value):
            raise LocatedError("half a character (\\ud800 to \\udfff) is no text", place)
        raw = self._text[event.start_mark.index : event.end_mark.index]
        return Scalar(event.value, kind, place, Source(raw, event.style or "", place))

    def _hang(self, node: Node) -> None:
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Listing):
            parent.items.append(node)
        elif (key := self._keys[-1]) is not None:
            parent.entries.append((key, node))
            self._keys[-1] = None
        elif isinstance(node, Scalar):
            self._keys[-1] = node
        else:
            raise LocatedError("a key must be a word", node.place)


def _kind(plain: str) -> ScalarKind:
    tag = _RESOLVER.resolve(yaml.ScalarNode, plain, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it out
    return _KINDS.get(str(tag), "text")


def _of(event: yaml.Event) -> Place:
    assert event.start_mark is not None, "the parser sets it"
    return _place(event.start_mark)


def _place(mark: yaml.error.Mark | yaml._yaml.Mark) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _place_of(text: str, index: int) -> Place:
    line = text.count("\n", 0, index) + 1
    return Place(line, index - text.rfind("\n", 0, index))
