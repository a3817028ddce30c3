"""`pipeline init`: writes a first configuration for CSV files."""

import argparse
from pathlib import Path

from pipeline.commands.options import Commands, add_command, make_console


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "init",
        "write a configuration for a CSV file",
        init,
        examples=[
            "pipeline init customers.csv --label churned",
            "pipeline init rows/ --label price --output houses.yaml",
        ],
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="a CSV file, or a folder of them")
    parser.add_argument("--label", metavar="NAME", required=True, help="the column to predict")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        default=Path("pipeline_config.yaml"),
        help="the file to write (default: pipeline_config.yaml)",
    )


def init(options: argparse.Namespace) -> int:
    """Writes the configuration and prints what it is based on."""
    from pipeline.commands.summary_table import print_summary
    from pipeline.init.write_config import write_config

    found = write_config(options.data, options.label, options.output)
    print_summary(make_console(), found.summary)
    print(f"{options.output}: {found.task} of {found.label.name!r} from {found.label.rows:,} rows")
    print(f"next: pipeline run --config {options.output}")
    return 0
