"""Programs that come with the development packages, lie on the machine, or are fetched."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

from tests.fetched import NotInstallable

T = TypeVar("T")


def tool(name: str) -> str:
    """Where it is. Where it has no build the test is skipped by name, but never in CI."""
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=f"{beside}{os.pathsep}{os.environ['PATH']}")
    return found if found is not None else _missing(f"{name} is not on this machine")


def or_skip(install: Callable[[], T]) -> T:
    """What was fetched; the same where it cannot be."""
    try:
        return install()
    except NotInstallable as missing:
        _missing(str(missing))


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"CI must run this: {reason}")
    pytest.skip(reason)
