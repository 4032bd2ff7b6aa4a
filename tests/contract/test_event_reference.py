"""docs/events.md is made from the schemas, and fresh."""

import subprocess
import sys
from pathlib import Path

MAKER = Path(__file__).resolve().parents[2] / "docs" / "make_events.py"


def test_the_event_reference_is_what_its_schemas_give() -> None:
    done = subprocess.run(
        [sys.executable, str(MAKER), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
