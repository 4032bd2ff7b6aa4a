"""Ladder definitions: YAML (contract section 4) into ladders, refused with file, line and column.

Every fault of a file is found before it is refused, so that nobody corrects them one by one.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePath

from app.core.ladder import Ladder
from app.errors import DefinitionError, DefinitionErrors
from app.wire.definition_fields import DefinitionReader
from app.wire.located_yaml import MOST_BYTES, LocatedError, Place, read
from app.wire.plain_text import plain

MOST_LADDERS = 64
SUFFIXES = (".yaml", ".yml")


def read_ladder(data: bytes, file: str) -> Ladder:
    """Read one definition; file is how messages name it. Raises DefinitionErrors."""
    ladder, _, problems = _read(data, file)
    if problems or ladder is None:
        raise DefinitionErrors(problems)
    return ladder


def read_files(paths: list[Path]) -> tuple[Ladder, ...]:
    """Read definitions that go together, sorted by id. Raises DefinitionErrors."""
    return _together([(str(path), path) for path in paths])


def read_folder(path: Path | None = None) -> tuple[Ladder, ...]:
    """Read every `*.yaml` of a folder, sorted by id; None: the built-in ladders.

    Raises DefinitionErrors, for all faults of all files.
    """
    if path is not None:
        return read_files(definitions_in(path))
    folder = files("app").joinpath("ladders")
    return _together([(f"ladders/{name}", entry) for name, entry in _entries(folder)])


def sources(path: Path | None = None) -> dict[str, bytes]:
    """Return the texts that `read_folder` reads, by the ids of their ladders."""
    folder: Traversable = files("app").joinpath("ladders") if path is None else path
    found = [(name, _bytes(entry)) for name, entry in _entries(folder)]
    return {read_ladder(data, name).id: plain(data, MOST_BYTES) for name, data in found}


def definitions_in(path: Path) -> list[Path]:
    """Return the definitions of a folder. Raises DefinitionErrors where there is none."""
    if not path.is_dir():
        raise DefinitionErrors([DefinitionError(str(path), 0, 0, "there is no such folder")])
    found = [path / name for name, _ in _entries(path)]
    if not found:
        instead = "no *.yaml here; put a ladder in, or unset LADDER_LADDERS for the built-in ones"
        raise DefinitionErrors([DefinitionError(str(path), 0, 0, instead)])
    return found


def _entries(folder: Traversable) -> list[tuple[str, Traversable]]:
    return sorted(
        (entry.name, entry)
        for entry in folder.iterdir()
        if suffix_of(entry.name) in SUFFIXES and not entry.name.startswith(".")
    )


def suffix_of(name: str) -> str:
    """Return what a file's name ends in, in small letters; whether it is packed does not matter."""
    return PurePath(name.lower().removesuffix(".gz")).suffix


def _together(sources: list[tuple[str, Traversable]]) -> tuple[Ladder, ...]:
    problems: list[DefinitionError] = []
    if len(sources) > MOST_LADDERS:
        file, _ = sources[MOST_LADDERS]
        message = f"{len(sources)} ladders; at most {MOST_LADDERS} are kept"
        problems.append(DefinitionError(file, 0, 0, message))
    ladders: dict[str, tuple[str, Ladder]] = {}
    for file, source in sources[:MOST_LADDERS]:
        try:
            data = _bytes(source)
        except OSError as error:
            problems.append(DefinitionError(file, 0, 0, f"cannot be read: {error.strerror}"))
            continue
        ladder, place, found = _read(data, file)
        problems += found
        if ladder is None:
            continue
        other, _ = ladders.setdefault(ladder.id, (file, ladder))
        if other != file:
            message = f"the id '{ladder.id}' is taken by {other}; give this ladder another"
            problems.append(DefinitionError(file, *place, message))
    if problems:
        raise DefinitionErrors(problems)
    return tuple(ladder for _, (_, ladder) in sorted(ladders.items()))


def _bytes(source: Traversable) -> bytes:
    with source.open("rb") as file:
        return bytes(file.read(MOST_BYTES + 1))


def _read(data: bytes, file: str) -> tuple[Ladder | None, Place, list[DefinitionError]]:
    """Return the ladder (None if it has faults), the place of its id, and the faults."""
    reader = DefinitionReader(file)
    try:
        ladder = reader.ladder(read(data))
    except LocatedError as error:
        place = error.place or Place(0, 0)
        return None, place, [DefinitionError(file, *place, error.message)]
    problems = sorted(reader.problems, key=lambda problem: (problem.line, problem.column))
    return (None if problems else ladder), reader.id_place, problems
