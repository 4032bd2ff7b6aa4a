"""`ladder schema`: what events must look like, for the programs that send and read them."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from app.cli import output
from app.errors import UsageError

ASYNCAPI = "asyncapi.yaml"


@click.group()
def schema() -> None:
    """Show or export the JSON Schema of each event, and the AsyncAPI description of the topics.

    \b
    Example:
      ladder schema show purchase.completed
    """


@schema.command()
@click.argument("name", metavar="[TYPE]", required=False)
def show(name: str | None) -> None:
    """Print the schema of a type of event, or `asyncapi`; without TYPE, what there is.

    \b
    Example:
      ladder schema show loyalty.stage.changed
    """
    known = _files()
    if name is None:
        for each in known:
            output.line(each)
        return
    if name not in known:
        raise UsageError(f"{name} is none of: {', '.join(known)}")
    output.document(known[name].read_bytes().rstrip(b"\n"))


@schema.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(folder: Path) -> None:
    """Write every schema and asyncapi.yaml, which refers to them, into FOLDER.

    \b
    Example:
      ladder schema export ./loyalty-schemas
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in _files().values():
            (folder / file.name).write_bytes(file.read_bytes())
            output.line(str(folder / file.name))
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror}") from error


def _files() -> dict[str, Traversable]:
    """Every file by the name that `show` takes."""
    files = {file.name.removesuffix(".json"): file for file in _folder().iterdir()
             if file.name.endswith(".json")}  # fmt: skip
    return {name: files[name] for name in sorted(files)} | {"asyncapi": _folder() / ASYNCAPI}


def _folder() -> Traversable:
    """Inside the package where it was installed, beside it in a source tree."""
    package = resources.files("app")
    installed = package / "schemas"
    return installed if installed.is_dir() else Path(str(package)).parent / "schemas"
