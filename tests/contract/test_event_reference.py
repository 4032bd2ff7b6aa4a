"""What is made for readers from schemas and declarations is fresh."""

import subprocess
import sys
from pathlib import Path

import pytest

from docs import made

ROOT = Path(__file__).resolve().parents[2]


MAKERS = {file.stem for file in (ROOT / "docs").glob("make_*.py")}
ELSEWHERE = {"make_digests", "make_licenses"}
"""The one asks registries, which change; the other asks cargo (`test_engine_build`)."""


@pytest.mark.parametrize("maker", sorted(MAKERS - ELSEWHERE))
def test_what_is_made_is_what_its_maker_gives_now(maker: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"docs.{maker}", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_stale_page_is_told_with_the_way_to_make_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(made, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    monkeypatch.setattr(sys, "argv", ["make_page"])
    assert made.settle(page, "new", "docs.make_page") == 0
    monkeypatch.setattr(sys, "argv", ["make_page", "--check"])
    assert made.settle(page, "new", "docs.make_page") == 0
    assert made.settle(page, "newer", "docs.make_page") == 1
    assert capsys.readouterr().err == "page.md is stale: run python -m docs.make_page\n"
    assert page.read_text("utf-8") == "new"
