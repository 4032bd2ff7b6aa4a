"""Names every image of others by the digest that its tag stands for now, beside the tag.

`python -m docs.make_digests` asks the registries (through Docker, which has to be installed) and
rewrites docker-compose.yml and deploy/Dockerfile; with `--check` it only says what has changed. A
tag may be given another image at any time; a digest is one image for ever, so what runs changes
only when this was run and somebody looked at it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable

from docs.made import ROOT

FILES = (ROOT / "docker-compose.yml", ROOT / "deploy" / "Dockerfile")
IMAGE = re.compile(
    r"^(?P<before> *image: |FROM )(?P<tagged>[a-z0-9./_-]+:(?!local\b)[\w.-]+)"
    r"(?P<digest>@sha256:[0-9a-f]{64})?(?= |$)",
    re.MULTILINE,
)


def pinned(text: str, digest_of: Callable[[str], str]) -> str:
    """Return a file with the digest of each image; `digest_of` is asked for `name:tag`."""
    return IMAGE.sub(lambda one: f"{one['before']}{one['tagged']}@{digest_of(one['tagged'])}", text)


def digest_of(tagged: str) -> str:
    """Ask the registry. Of an image for several kinds of machine it is that of their list."""
    command = [
        "docker",
        "buildx",
        "imagetools",
        "inspect",
        tagged,
        "--format",
        "{{json .Manifest}}",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    digest = str(json.loads(done.stdout)["digest"])
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ValueError(f"{tagged}: this is no digest: {digest}")
    return digest


def main() -> int:
    """Return the exit code."""
    changed = 0
    for file in FILES:
        text = file.read_text("utf-8")
        new = pinned(text, digest_of)
        if new == text:
            continue
        changed = 1
        print(f"{file.relative_to(ROOT)}: some tags stand for other images now", file=sys.stderr)
        if "--check" not in sys.argv[1:]:
            file.write_text(new, "utf-8")
    return changed if "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
