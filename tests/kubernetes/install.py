"""Fetches what knows Kubernetes' schemas with pip, once per machine and version."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fetched import fetched, run

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
VALIDATE = HERE / "validate.py"


def schemas() -> Path:
    """The folder of packages that `VALIDATE` needs on its path. Raises NotInstallable."""
    return fetched(f"kubernetes-{sys.version_info.minor}", (), [REQUIREMENTS], _fetch)


def _fetch(folder: Path) -> None:
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    wheels = ("--only-binary", ":all:", "--target", str(folder))
    run(*pip, *wheels, "-r", str(REQUIREMENTS), cwd=HERE)
