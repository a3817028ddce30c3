"""Options that several commands have, examples in their help, and wording of their errors."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn, TextIO, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.settings.config import Config

Handler: TypeAlias = Callable[[argparse.Namespace], int]
"""Runs a command with its parsed options and returns the exit code."""
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"

PROGRAM = "pipeline"
"""Name of the command."""
_EXAMPLES_TITLE = "examples:"
_WIDTH_WITHOUT_TERMINAL = 200
_VALUE_FOR_FLAG = re.compile(r"argument (\S+): ignored explicit argument (.*)", re.DOTALL)
"""The message of argparse for `--json=1`, with the option's names and the value."""


class Parser(argparse.ArgumentParser):
    """An argument parser that says which option takes no argument."""

    def error(self, message: str) -> NoReturn:
        """Prints the usage and an error, then exits with 2.

        Args:
            message: The error; that of a value given to a flag is reworded.
        """
        if flag := _VALUE_FOR_FLAG.fullmatch(message):
            message = f"{flag[1]} takes no argument: remove {flag[2]}"
        super().error(message)


def add_command(
    commands: Commands,
    name: str,
    summary: str,
    handler: Handler,
    *,
    examples: Sequence[str],
    parents: Sequence[Parser] = (),
) -> Parser:
    """Adds a command to the command line.

    Args:
        commands: The commands so far.
        name: The word after `pipeline`.
        summary: What the command does: a verb, a small first letter, no full stop.
        handler: Called with the parsed options.
        examples: Command lines that end the help.
        parents: Parsers of shared options.

    Returns:
        The command's parser, for options of its own.
    """
    parser = commands.add_parser(
        name,
        parents=list(parents),
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="\n".join([_EXAMPLES_TITLE, *(f"  {example}" for example in examples)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(handler=handler)
    return parser


def config_options() -> Parser:
    """Makes the options that choose a configuration: `--config` and `--set`."""
    parser = Parser(add_help=False)
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=os.environ.get("PIPELINE_CONFIG", "pipeline_config.yaml"),
        help="the configuration (default: $PIPELINE_CONFIG, else pipeline_config.yaml)",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="replace a setting, such as --set train.steps=500; may be repeated",
    )
    return parser


def json_option() -> Parser:
    """Makes the option `--json`."""
    parser = Parser(add_help=False)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, and nothing else"
    )
    return parser


def port_option(default: int) -> Parser:
    """Makes the option `--port` with the port that is taken without it."""
    parser = Parser(add_help=False)
    parser.add_argument(
        "--port",
        type=int,
        metavar="N",
        default=default,
        help=f"port on the loopback interface (default: {default})",
    )
    return parser


def load(options: argparse.Namespace) -> Config:
    """Loads the configuration that `--config` and `--set` choose.

    Raises:
        ConfigError: If anything in it is wrong.
    """
    from pipeline.settings.load import load_config

    return load_config(options.config, options.set)


def make_console(file: TextIO | None = None) -> Console:
    """Makes a console for tables, wide where its file is not a terminal.

    Args:
        file: Where it prints; None for standard output.
    """
    from rich.console import Console

    file = file or sys.stdout
    return Console(file=file, width=None if file.isatty() else _WIDTH_WITHOUT_TERMINAL)


def command_line(*arguments: str) -> str:
    """Returns a line to type for another command of this program, called as this one was."""
    program = sys.argv[0]
    found = shutil.which(PROGRAM)
    is_named = os.path.basename(program) == PROGRAM and os.path.exists(program)
    if not is_named or (found is not None and os.path.samefile(found, program)):
        program = PROGRAM
    return shlex.join([program, *arguments])


def count(number: int, noun: str) -> str:
    """Counts things: `1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def become(program: str, *arguments: str) -> NoReturn:
    """Replaces this process by a program of its environment, which runs until interrupted."""
    path = os.path.join(os.path.dirname(sys.executable), program)
    os.execv(path, [path, *arguments])  # noqa: S606 (a program of this environment, no shell)
