"""The parser of the command line, made of those of the commands."""

import argparse
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from pipeline.commands import (
    compare,
    completion,
    init,
    predict,
    promote,
    rollback,
    run,
    schema,
    serve,
    sync,
    tensorboard,
    ui,
    validate,
)
from pipeline.commands.options import PROGRAM, Parser

_COMMANDS = (
    init,
    run,
    validate,
    schema,
    predict,
    promote,
    rollback,
    serve,
    sync,
    compare,
    ui,
    tensorboard,
)
"""In the order in which `pipeline --help` lists them; `completion` is the last."""
_DISTRIBUTION = "estimator-pipeline"
_STACK = {
    "TensorFlow": "tensorflow",
    "TFX": "tfx",
    "Beam": "apache-beam",
    "MLflow": "mlflow",
}


def make_parser() -> Parser:
    """Makes the parser of all commands; the parsed options have the command's `handler`."""
    parser = Parser(
        prog=PROGRAM,
        description="From CSV files and one YAML file to a pushed, tracked model.",
        epilog="examples:\n  pipeline init customers.csv --label churned\n  pipeline run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action=_PrintVersions,
        help="show the version, and those of TensorFlow, TFX, Beam and MLflow, and exit",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(commands)
    completion.add_parser(commands, parser)
    return parser


class _PrintVersions(argparse.Action):
    """Prints versions by the metadata of the installed packages, importing none of them."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        stack = ", ".join(f"{name} {version(package)}" for name, package in _STACK.items())
        print(f"{parser.prog} {version(_DISTRIBUTION)} ({stack})")
        parser.exit()
