"""What is deployed is locked: each package by its version and its hashes, and no image by a tag."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.make_digests import FILES, pinned
from docs.make_lock import BUILD, PYTHON, RUN, declared, stale

IMAGE = {
    **{name: str(value) for name, value in default_environment().items()},
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}
"""How markers are read in the image, whatever the tests run on."""
PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>[^\\]+?))?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)$",
    re.MULTILINE,
)
LOCKS = [RUN, BUILD]


def pins(file: Path) -> dict[str, str]:
    return {found["name"]: found["version"] for found in PIN.finditer(file.read_text("utf-8"))}


def applies(requirement: Requirement, extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({**IMAGE, "extra": extra}) for extra in ("", *extras))


def test_the_locks_are_of_what_is_declared() -> None:
    assert stale() == [], "run make lock"


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_every_line_is_a_version_with_its_hashes(file: Path) -> None:
    """And none names a place that packages come from."""
    text = file.read_text("utf-8")
    rest = PIN.sub("", text)
    assert [line for line in rest.splitlines() if line and not line.startswith("#")] == []
    assert "://" not in text
    assert pins(file)


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.name)
def test_what_is_declared_is_locked_at_a_version_that_is_allowed(file: Path) -> None:
    locked = pins(file)
    for each in map(Requirement, declared()[file]):
        if applies(each, set()):
            assert each.specifier.contains(locked[canonicalize_name(each.name)]), each


def test_what_packages_need_is_locked_too() -> None:
    """By what those say that are installed here, and nothing that nobody needs."""
    locked = pins(RUN)
    asked = [one for one in map(Requirement, declared()[RUN]) if applies(one, set())]
    reached: dict[str, set[str]] = {}
    while asked:
        each = asked.pop()
        name = canonicalize_name(each.name)
        if name in reached and each.extras <= reached[name]:
            continue
        reached[name] = reached.get(name, set()) | each.extras
        needed = map(Requirement, metadata.requires(name) or ())
        asked += [one for one in needed if applies(one, reached[name])]
    assert set(reached) - set(locked) == set()
    elsewhere = {found["name"] for found in PIN.finditer(RUN.read_text("utf-8")) if found["marker"]}
    assert set(locked) - set(reached) - elsewhere == set()


def test_each_image_gets_the_digest_of_its_tag_and_nothing_else_changes() -> None:
    """The tool that asks the registries needs Docker, so here somebody else answers."""
    asked: list[str] = []

    def answer(tagged: str) -> str:
        asked.append(tagged)
        return "sha256:" + "0" * 64

    before = "services:\n  a:\n    image: x/y:v1.2.3\n  b:\n    image: ours:local\n"
    wanted = before.replace("v1.2.3", "v1.2.3@sha256:" + "0" * 64)
    assert pinned(before, answer) == wanted
    assert pinned(wanted.replace("0" * 64, "f" * 64), answer) == wanted
    stages = "FROM a:1-slim AS one\nCOPY --from=b:2 / /\nFROM a:1-slim@sha256:" + "f" * 64 + "\n"
    zeros = "@sha256:" + "0" * 64
    assert pinned(stages, answer) == (
        f"FROM a:1-slim{zeros} AS one\nCOPY --from=b:2 / /\nFROM a:1-slim{zeros}\n"
    )
    assert asked == ["x/y:v1.2.3", "x/y:v1.2.3", "a:1-slim", "a:1-slim"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_image_of_others_is_named_by_its_tag_alone(file: Path) -> None:
    text = file.read_text("utf-8")
    digests = iter(re.findall(r"@(sha256:[0-9a-f]{64})", text))
    assert pinned(text, lambda tagged: next(digests)) == text
    assert next(digests, None) is None
