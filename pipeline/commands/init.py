"""`pipeline init`: writes a first configuration for CSV files."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands.options import Commands, add_command, command_line, count, make_console

if TYPE_CHECKING:
    from pipeline.init.inspect_csv import Inspection

TASKS = ("multiclass", "binary", "regression")
"""All of `Task`, which is not imported here so that `--help` answers at once."""
_STANDARD_OUTPUT = "-"


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "init",
        "write a configuration for a CSV file",
        init,
        examples=[
            "pipeline init customers.csv --label churned",
            "pipeline init rows/ --label price --output houses.yaml --ignore 'sold on' --force",
        ],
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="a CSV file, or a folder of them")
    parser.add_argument("--label", metavar="COLUMN", required=True, help="the column to predict")
    parser.add_argument(
        "--task", choices=TASKS, help="what to predict (default: what the label asks for)"
    )
    parser.add_argument(
        "--ignore",
        metavar="COLUMN",
        action="append",
        default=[],
        help="a column that the model must not read; may be repeated",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        default="pipeline_config.yaml",
        help="the file to write; - for standard output (default: pipeline_config.yaml)",
    )
    parser.add_argument("--force", action="store_true", help="replace an output that exists")


def init(options: argparse.Namespace) -> int:
    """Writes the configuration and prints what it is based on."""
    from pipeline.commands.summary_table import print_summary
    from pipeline.init.inspect_csv import Wishes
    from pipeline.init.write_config import check_output, make_config, write_config

    wishes = Wishes(options.label, options.task, options.ignore)
    output = Path(options.output)
    is_file = options.output != _STANDARD_OUTPUT
    if is_file:
        check_output(output, options.data, force=options.force)
    found, text = make_config(options.data, wishes, output.parent if is_file else Path())
    console = make_console(sys.stdout if is_file else sys.stderr)
    if is_file:
        write_config(text, output)
    else:
        print(text, end="", flush=True)
    print_summary(console, found.summary)
    print(_outcome(options.output if is_file else "standard output", found), file=console.file)
    if is_file:
        print(f"next: {command_line('run', '--config', options.output)}")
    return 0


def _outcome(output: str, found: "Inspection") -> str:
    """Says what is predicted from how much, and how many columns a person should look at."""
    from pipeline.data.findings import LOOK_MARK

    columns = found.summary.columns
    left_out = sum(column.is_left_out for column in columns)
    looks = sum(column.needs_look for column in columns)
    parts = [count(len(found.features) - left_out, "column") + " to learn from"]
    parts += [f"{left_out} left out"] * bool(left_out)
    parts += [f"{looks} to look at (marked {LOOK_MARK})"] * bool(looks)
    what = f"{found.task} of {found.label.name!r} from {count(found.label.rows, 'row')}"
    return f"{output}: {what}; {', '.join(parts)}"
