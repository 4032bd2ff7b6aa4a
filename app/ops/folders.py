"""Folders that hold customers' records: their owner alone may look into them."""

from __future__ import annotations

import os
import re
from pathlib import Path

PRIVATE = 0o700


def make_private(folder: Path, ours: re.Pattern[str]) -> None:
    """Make a folder, and what is missing above it, for its owner alone. Raises OSError.

    One that is there already becomes so if nothing lies in it but what is `ours`, by its name: what
    else lies in a folder that somebody chose may be for others.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=PRIVATE, exist_ok=True)
    if missing:
        return
    there = folder.stat()
    if not there.st_mode & 0o077 or there.st_uid != os.geteuid():
        return
    if all(ours.fullmatch(each.name) for each in folder.iterdir()):
        folder.chmod(PRIVATE)
