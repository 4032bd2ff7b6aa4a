"""Makes the lock files: every package that an image is made of, by its version and its hashes.

`python -m docs.make_lock` asks the package registry, and keeps what is locked already as far as
pyproject.toml lets it; with `--upgrade` it takes the newest. With `--check` it asks nobody, and
says whether the files were made from what pyproject.toml declares.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from docs.made import ROOT

PROJECT = ROOT / "pyproject.toml"
PYTHON = "3.11"
"""The oldest that the project runs on, and that of the image."""
EXTRAS = ("traces",)
"""What an image has beside what every installation has."""
RUN = ROOT / "requirements.lock"
BUILD = ROOT / "requirements-build.lock"
HEAD = """\
# Made by `make lock` from pyproject.toml. Change that, then run it.
# Of what is declared there: sha256:{digest}
"""


def declared() -> dict[Path, list[str]]:
    """Return what pyproject.toml asks for, by lock file."""
    whole: Mapping[str, Any] = tomllib.loads(PROJECT.read_text("utf-8"))
    extras = whole["project"]["optional-dependencies"]
    return {
        RUN: [*whole["project"]["dependencies"], *(one for name in EXTRAS for one in extras[name])],
        BUILD: list(whole["build-system"]["requires"]),
    }


def head(asked: Iterable[str]) -> str:
    """Return the first lines of the lock of these requirements."""
    digest = hashlib.sha256(json.dumps(sorted(asked)).encode()).hexdigest()
    return HEAD.format(digest=digest)


def stale() -> list[Path]:
    """Return the lock files that were made from something else."""
    return [
        file
        for file, asked in declared().items()
        if not file.exists() or not file.read_text("utf-8").startswith(head(asked))
    ]


def lock(file: Path, asked: Sequence[str], options: Sequence[str]) -> str:
    """Return a lock of these requirements, as near to the one that there is as may be."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, made = Path(folder) / "requirements.in", Path(folder) / file.name
        wanted.write_text("\n".join(asked), "utf-8")
        if file.exists():
            made.write_text(file.read_text("utf-8"), "utf-8")
        command = [
            str(Path(sys.executable).with_name("uv")), "pip", "compile", str(wanted),
            "--universal", "--python-version", PYTHON, "--generate-hashes", "--no-header",
            "--no-annotate", "--quiet", "--output-file", str(made), *options,
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return head(asked) + made.read_text("utf-8")


def main(options: Sequence[str]) -> int:
    """Return the exit code."""
    if "--check" in options:
        for file in (wrong := stale()):
            print(f"{file.relative_to(ROOT)} is stale: run make lock", file=sys.stderr)
        return 1 if wrong else 0
    for file, asked in declared().items():
        file.write_text(lock(file, asked, options), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
