"""Fetches the official AsyncAPI validator with npm, once per machine and version."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.fetched import fetched, run

HERE = Path(__file__).parent
FILES = [HERE / name for name in ("package.json", "package-lock.json", "validate.js")]


def validator() -> Path:
    """The script that `node` runs, beside what it imports. Raises NotInstallable."""
    return fetched("asyncapi", ("node", "npm"), FILES, _fetch) / "validate.js"


def _fetch(folder: Path) -> None:
    for file in FILES:
        shutil.copy(file, folder)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder)
