"""The entry point: finds the command, runs it, and turns what goes wrong into one message."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import click

from app.cli import fatal
from app.errors import LadderError


class Command(NamedTuple):
    """Where a command is, and its line in `ladder --help`."""

    module: str
    attribute: str
    summary: str


COMMANDS: Mapping[str, Command] = {
    "demo": Command("app.cli.demo", "demo", "The whole thing on this machine, nothing else needed"),
    "broker": Command("app.cli.broker", "broker", "The embedded broker alone, in the foreground"),
    "topics": Command("app.cli.topics", "topics", "Make or check the topics"),
    "worker": Command("app.cli.worker", "worker", "Run a worker"),
    "emit": Command("app.cli.emit", "emit", "Send events from files"),
    "watch": Command("app.cli.watch", "watch", "Follow stage changes"),
    "show": Command("app.cli.show", "show", "Where a customer stands, why, and what comes next"),
    "check": Command("app.cli.check", "check", "Check ladder definitions and events"),
    "customers": Command("app.cli.customers", "customers", "Who stands on a rung now"),
    "backtest": Command("app.cli.backtest", "backtest", "Fold files of events, with no broker"),
    "whatif": Command("app.cli.whatif", "whatif", "What a changed ladder would do, before it does"),
    "dead-letters": Command("app.cli.dead_letters", "dead_letters", "What was refused, and why"),
    "schema": Command("app.cli.schema", "schema", "What events must look like, for programs"),
    "config": Command("app.cli.config", "config", "Every setting with its value and meaning"),
}


class Ladder(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, each in COMMANDS.items() if importlib.util.find_spec(each.module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        where = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(where.module), where.attribute)
        assert isinstance(command, click.Command), f"{where} is no command"
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return _nobody_reads()  # before click makes a failure of it

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])


@click.command(
    cls=Ladder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings are environment variables or lines of a .env file: see `ladder config`.",
)
@click.version_option(package_name="loyalty-ladder", prog_name="ladder")
def ladder() -> None:
    """Customers move along loyalty ladders as their events arrive on Kafka, exactly once.

    \b
    Example:
      ladder demo
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code: 0 done, 1 failed, 2 wrong use."""
    try:
        code = ladder.main(arguments, prog_name="ladder", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return fatal.wrong_use(error)
    except LadderError as error:
        return fatal.failed(error)
    except (KeyboardInterrupt, click.Abort):
        return fatal.interrupted()
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as bug:
        return fatal.broken(bug)
    return code if isinstance(code, int) else 0


def _nobody_reads() -> int:
    """End well: who read our output has seen enough (`ladder watch | head`).

    Nothing more can be written, also not what Python would flush when it ends.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def main() -> NoReturn:
    """`ladder` as it is called from a shell."""
    sys.exit(run())
