"""What every maker of a page here ends with: the page is written, or only compared."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def settle(file: Path, text: str, made_by: str) -> int:
    """Write the file, or with `--check` say whether it is this text; the exit code."""
    if "--check" not in sys.argv[1:]:
        file.write_text(text, "utf-8")
        return 0
    if file.exists() and file.read_text("utf-8") == text:
        return 0
    print(f"{file.relative_to(ROOT)} is stale: run python -m {made_by}", file=sys.stderr)
    return 1
