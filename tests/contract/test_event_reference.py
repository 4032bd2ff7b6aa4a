"""What is made from the schemas for readers is fresh."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("maker", ["make_events.py", "make_asyncapi.py"])
def test_what_is_made_from_the_schemas_is_what_they_give_now(maker: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / maker), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_reference_in_the_asyncapi_description_leads_somewhere() -> None:
    whole = yaml.safe_load((ROOT / "schemas" / "asyncapi.yaml").read_text("utf-8"))

    def references(found: object) -> list[str]:
        if isinstance(found, dict):
            here = [found["$ref"]] if "$ref" in found else []
            return here + [ref for item in found.values() for ref in references(item)]
        return []

    for ref in references(whole):
        if ref.startswith("./"):
            assert (ROOT / "schemas" / ref).is_file(), ref
            continue
        place = whole
        for step in ref.removeprefix("#/").split("/"):
            place = place[step]
        assert place
