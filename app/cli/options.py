"""Options that stand for settings, made from their declarations."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

import click
import structlog

from app import settings as declarations
from app.ops import logs
from app.settings import DECLARED, Declared, Settings

log = structlog.get_logger(__name__)

_BY_NAME = {declared.name: declared for declared in DECLARED}


def with_settings(
    *names: str, daemon: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command its settings as `settings`, and an option for each of the names.

    An option wins over the environment. A daemon's log says what the libraries have to say, too; a
    short command tells its user itself what went wrong.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def wrapper(**given: Any) -> Any:
            options = {name: given.pop(name) for name in names}
            return command(settings=prepare(options.items(), daemon=daemon), **given)

        wrapped: Callable[..., Any] = wrapper
        for name in reversed(names):
            wrapped = _option(_BY_NAME[name])(wrapped)
        return wrapped

    return decorate


def prepare(options: Iterable[tuple[str, str | None]] = (), *, daemon: bool = False) -> Settings:
    """Read the settings, with options over them, and set the logs up. Raises SettingsError."""
    chosen = {_BY_NAME[name].variable: value for name, value in options if value is not None}
    env = {**os.environ, **chosen}
    settings = declarations.load(env, declarations.DOTENV)
    logs.configure(
        sys.stderr,
        form=settings.log_format,
        level=settings.log_level,
        others=None if daemon else "critical",
        colour=logs.wants_colour(sys.stderr, os.environ),
    )
    for sentence in declarations.unknown(env, declarations.DOTENV):
        _warn(sentence, settings)
    return settings


def _warn(sentence: str, settings: Settings) -> None:
    if settings.log_format == "json":
        log.warning("a variable is no setting", action="setting-unknown", error=sentence)
    else:
        click.echo(f"ladder: {sentence}", err=True)


def _option(declared: Declared) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    flag = "--" + declared.name.replace("_", "-")
    default = f"; {declared.default}" if declared.default else ""
    return click.option(
        flag,
        declared.name,
        metavar="VALUE",
        help=f"{declared.meaning} [{declared.variable}{default}]",
    )
