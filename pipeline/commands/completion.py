"""`pipeline completion`: prints a script that completes commands in a shell."""

import argparse
from collections.abc import Iterator
from functools import partial

from pipeline.commands.options import Commands, add_command

_FILE_METAVARS = {"FILE", "DATA"}


def add_parser(commands: Commands, main_parser: argparse.ArgumentParser) -> None:
    """Adds the command, which describes the whole command line to the shell."""
    parser = add_command(
        commands,
        "completion",
        "print a script that completes commands in bash or zsh",
        partial(completion, main_parser),
        examples=[
            'eval "$(pipeline completion bash)"  # in ~/.bashrc',
            'eval "$(pipeline completion zsh)"   # in ~/.zshrc, after compinit',
        ],
    )
    parser.add_argument("shell", choices=("bash", "zsh"), help="the shell")


def completion(main_parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Prints the script."""
    import shtab

    for action in _actions(main_parser):
        if action.metavar in _FILE_METAVARS:
            vars(action)["complete"] = shtab.FILE
    print(shtab.complete(main_parser, options.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Lists the options and arguments of all commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
