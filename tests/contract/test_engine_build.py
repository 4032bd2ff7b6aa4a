"""The engine is built as it says: one version, one oldest Rust, licences that may be shipped."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml

from tests.contract.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CRATE = tomllib.loads((ROOT / "engine" / "Cargo.toml").read_text("utf-8"))["package"]


def test_the_engine_has_the_version_of_the_distribution() -> None:
    assert CRATE["version"] == PROJECT["project"]["version"]


def test_the_oldest_rust_is_the_same_wherever_it_is_named() -> None:
    oldest = CRATE["rust-version"]
    for file in ("Makefile", ".ci/find-rust"):
        named = set(re.findall(r"Rust (1\.\d+)", (ROOT / file).read_text("utf-8")))
        assert named == {oldest}, file
    minor = oldest.partition(".")[2]
    assert f"-ge {minor} ]" in (ROOT / ".ci" / "find-rust").read_text("utf-8")


def test_there_is_nothing_unsafe_in_the_engine() -> None:
    crate = tomllib.loads((ROOT / "engine" / "Cargo.toml").read_text("utf-8"))
    assert crate["lints"]["rust"]["unsafe_code"] == "forbid"


def test_the_licences_of_all_crates_are_shipped_and_fresh() -> None:
    if shutil.which("cargo") is None and not os.environ.get("CI"):
        pytest.skip("no cargo here, which says what the crates are")
    said = subprocess.run(
        [sys.executable, "-m", "docs.make_licenses", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (said.returncode, said.stderr) == (0, "")
    assert "engine/LICENSES.txt" in PROJECT["project"]["license-files"]


def test_a_release_builds_a_wheel_for_every_platform_of_the_pinned_parts() -> None:
    """Seen in the package index: these two have wheels of both faust-streaming and rocksdict."""
    release = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"))
    built = {each["target"] for each in release["jobs"]["wheels"]["strategy"]["matrix"]["include"]}
    assert built == {"x86_64-unknown-linux-gnu", "aarch64-apple-darwin"}
