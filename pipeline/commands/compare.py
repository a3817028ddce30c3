"""`pipeline compare`: shows what differs between runs."""

import argparse
import json

from pipeline.commands.options import (
    Commands,
    add_command,
    config_options,
    json_option,
    load,
    make_console,
)


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "compare",
        "show what differs between runs, and the best of each metric",
        compare,
        parents=[config_options(), json_option()],
        examples=[
            "pipeline compare latest latest~1",
            "pipeline compare model.seed=2 latest --json",
        ],
    )
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="MLflow or pipeline run id, or its beginning; a run's name; latest, latest~1, ...",
    )


def compare(options: argparse.Namespace) -> int:
    """Prints the comparison, as tables or as JSON."""
    config = load(options)
    from pipeline.commands.comparison import compare_runs, find_runs, make_tables
    from pipeline.run.history import History

    comparison = compare_runs(find_runs(History(config).runs(), options.runs, config.name))
    if options.json:
        print(json.dumps(comparison.to_json()))
        return 0
    console = make_console()
    for table in make_tables(comparison):
        console.print(table, "")
    return 0
