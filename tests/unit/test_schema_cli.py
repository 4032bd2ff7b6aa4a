"""`ladder schema` gives programs what they check events with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from app.cli.main import run
from app.core.events import TYPES
from app.wire import stage_change

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


def test_without_a_type_every_type_and_the_description_of_the_topics_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["schema", "show"]) == 0
    assert set(capsys.readouterr().out.split()) == {*TYPES, stage_change.TYPE, "asyncapi"}


@pytest.mark.parametrize("kind", [*TYPES, stage_change.TYPE])
def test_the_schema_of_each_type_is_shown(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "show", kind]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((SCHEMAS / f"{kind}.json").read_text("utf-8"))


def test_an_unknown_type_is_wrong_use_and_the_right_ones_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["schema", "show", "purchase.complete"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "purchase.completed" in err


def test_what_is_exported_is_complete_and_its_references_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "schemas"
    assert run(["schema", "export", str(folder)]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(written) == sorted(folder.iterdir())
    for file in written:
        assert file.read_bytes() == (SCHEMAS / file.name).read_bytes()
    whole = yaml.safe_load((folder / "asyncapi.yaml").read_text("utf-8"))
    for kind in TYPES:
        ref = whole["components"]["messages"][kind]["payload"]["schema"]["$ref"]
        assert (folder / ref).is_file()


def test_a_folder_that_cannot_be_written_is_wrong_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["schema", "export", str(tmp_path / "file" / "below")]) == 2
    assert "cannot write into" in capsys.readouterr().err
