"""Makes engine/LICENSES.txt: the licence texts of all crates that the engine is built from.

`python -m docs.make_licenses` writes it; with `--check` it only says whether it is fresh. It needs
cargo, which says what the crates are and where their texts lie.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from docs.made import ROOT, settle

ENGINE = ROOT / "engine"
FILE = ENGINE / "LICENSES.txt"
TEXTS = re.compile(r"(licen[cs]e|copying|unlicense|notice|copyright)", re.IGNORECASE)
TAKEN = frozenset({"MIT", "Apache-2.0", "Zlib", "CC0-1.0", "MIT-0", "Unlicense", "Unicode-3.0"})
"""Licences that may be in what is shipped; of a choice, one is enough."""
HEAD = """\
The engine of Loyalty Ladder is built from these crates. What follows are their licences.
Made by `python -m docs.make_licenses`.
"""


def crates() -> list[dict[str, Any]]:
    """Return what cargo knows of each crate that is built in, on any platform, by name."""
    tree = _cargo(
        "tree", "--edges", "normal,build", "--features", "python", "--target", "all",
        "--prefix", "none", "--format", "{p}",
    )  # fmt: skip
    wanted = {tuple(line.split(" ")[:2]) for line in tree.splitlines() if line}
    known = json.loads(_cargo("metadata", "--format-version", "1"))["packages"]
    found = [each for each in known if (each["name"], f"v{each['version']}") in wanted]
    ours = "loyalty-ladder-engine"
    return sorted(
        (each for each in found if each["name"] != ours),
        key=lambda each: (each["name"], each["version"]),
    )


def refused(licence: str) -> bool:
    """Tell whether an SPDX expression asks for more than what is taken."""
    plain = licence.replace("/", " OR ").replace(" WITH LLVM-exception", "")
    parts = [part.strip("() ") for part in re.split(r" AND ", plain)]
    return not all(TAKEN & {one.strip("() ") for one in part.split(" OR ")} for part in parts)


def render() -> str:
    """Return the texts, each once, with the crates that are under it."""
    under: dict[str, list[str]] = {}
    for crate in crates():
        name = f"{crate['name']} {crate['version']} ({crate['license']})"
        if refused(crate["license"] or ""):
            raise SystemExit(f"{name}: not among the licences that are taken")
        folder = Path(crate["manifest_path"]).parent
        texts = [
            each for each in sorted(folder.iterdir()) if TEXTS.match(each.name) and each.is_file()
        ]
        if not texts:
            under.setdefault("(its package brings no text; the licence is named above)", []).append(
                name
            )
        for text in texts:
            lines = text.read_text("utf-8", "replace").splitlines()
            under.setdefault("\n".join(line.rstrip() for line in lines).strip(), []).append(name)
    parts = [HEAD]
    for text, names in under.items():
        parts.append("\n".join(["", "=" * 80, *dict.fromkeys(names), "-" * 80, text, ""]))
    return "".join(parts)


def _cargo(command: str, *words: str) -> str:
    return subprocess.run(
        ["cargo", command, "--locked", *words],
        cwd=ENGINE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


if __name__ == "__main__":
    sys.exit(settle(FILE, render(), made_by=__spec__.name))
