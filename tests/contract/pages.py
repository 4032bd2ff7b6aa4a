"""The pages a person reads: their fenced blocks, headings, links and commands.

A block is marked by what follows the three ticks:

    ```bash             run by a test, in the order of the page, in an empty folder
    ```bash broker      the same, beside a Kafka of its own
    ```bash fails       run, and must end with another code than 0
    ```bash system      in a runbook: run beside a worker and the Prometheus that watches it
    ```yaml title=FILE  written to that file before the page's commands run (any language)
    ```text output      what the command before it prints
    ```console          an example that is not run; its `ladder` commands must exist all the same
    ```sh               what `make` and CI run
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for pattern in (
        "*.md",
        "docs/*.md",
        "docs/adr/*.md",
        "schemas/*.md",
        "examples/*.md",
        "deploy/runbooks/*.md",
        "app/**/*.md",
    )
    for page in ROOT.glob(pattern)
)
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
NOT_YET = re.compile("⟦[^⟦⟧]*⟧")
"""How docs/contract.md marks what is not built yet."""
RUN = frozenset({"bash", "bash broker", "bash fails"})


@dataclass(frozen=True)
class Block:
    """A fenced block: what is said of it, and its text."""

    info: str
    text: str

    @property
    def title(self) -> str | None:
        found = re.search(r"title=(\S+)", self.info)
        return found[1] if found else None


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def built(page: Path) -> str:
    """The page without what it marks as not built yet."""
    return NOT_YET.sub("", page.read_text("utf-8"))


def blocks(page: Path) -> list[Block]:
    return [Block(match["info"].strip(), match["text"]) for match in FENCE.finditer(built(page))]


def prose(page: Path) -> str:
    """The page without its blocks."""
    return FENCE.sub("", built(page))


def anchors(page: Path) -> set[str]:
    """The headings, as links name them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def links(page: Path) -> list[str]:
    return [match["target"] for match in LINK.finditer(INLINE.sub("", prose(page)))]


def commands(page: Path) -> Iterator[list[str]]:
    """The arguments of every `ladder` command on a page, in blocks and in sentences."""
    for block in blocks(page):
        if block.info.split(" ")[0] in ("bash", "console", "sh"):
            for line in block.text.replace("\\\n", " ").splitlines():
                yield from _commands_of(line.removeprefix("$ "))
    for code in INLINE.findall(prose(page)):
        if code.startswith("ladder "):
            yield from _commands_of(code)


def _commands_of(line: str) -> Iterator[list[str]]:
    for part in re.split(r"[|;&]", re.sub(r"[<>]+ ?\S+", "", line.partition(" #")[0])):
        words = part.split()
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        if words[:1] == ["ladder"]:
            yield shlex.split(" ".join(words[1:]))
