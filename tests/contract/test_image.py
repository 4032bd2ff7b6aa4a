"""deploy/Dockerfile: an image that runs as nobody, from what the package needs and nothing else."""

from __future__ import annotations

import re
import subprocess
import tomllib

from tests.contract.composed import DOCKERFILE, ROOT
from tests.contract.tools import tool


def test_hadolint_finds_nothing_to_say() -> None:
    said = subprocess.run(
        [tool("hadolint"), str(ROOT / "deploy" / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, said.stdout) == (0, "")


def test_the_image_runs_as_nobody_in_particular_and_writes_only_its_state() -> None:
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    user = re.search(r"^USER (\d+):(\d+)$", last, re.MULTILINE)
    assert user is not None
    assert int(user[1]) > 999
    assert f"--uid {user[1]}" in last
    (state,) = re.findall(r"^VOLUME (\S+)$", last, re.MULTILINE)
    assert f"LADDER_DATA_DIR={state}" in last
    assert 'ENTRYPOINT ["tini", "--", "ladder"]' in last
    assert " tini=" in last


def test_the_image_has_a_python_that_the_package_runs_on() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    versions = set(re.findall(r"^FROM python:(\d+\.\d+)-slim", DOCKERFILE, re.MULTILINE))
    assert len(versions) == 1
    assert f"Programming Language :: Python :: {versions.pop()}" in project["classifiers"]


def test_the_image_is_built_from_what_the_build_may_see() -> None:
    seen = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
            if line.startswith("!")}  # fmt: skip
    copied = {
        source
        for sources in re.findall(r"^COPY (?!--from)(.+) /src/\S*$", DOCKERFILE, re.MULTILINE)
        for source in sources.split()
    }
    assert copied == seen
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["readme"] in copied
    assert set(project["project"]["license-files"]) <= copied
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied


def test_what_must_not_be_built_from_source_is_pinned() -> None:
    (names,) = re.findall(r"--only-binary (\S+)", DOCKERFILE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for name in names.split(","):
        assert any(each.startswith(f"{name}==") for each in project["dependencies"])
