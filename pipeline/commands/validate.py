"""`pipeline validate`: checks configuration and data without a run."""

import argparse

from pipeline.commands.options import Commands, add_command, config_options, load, make_console


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    add_command(
        commands,
        "validate",
        "check configuration and data only",
        validate,
        parents=[config_options()],
        examples=["pipeline validate", "pipeline validate --config customers.yaml"],
    )


def validate(options: argparse.Namespace) -> int:
    """Checks configuration and data; prints what was found, and the rows of each split."""
    config = load(options)
    from pipeline.commands.summary_table import print_summary
    from pipeline.data.prepare import prepare

    checked = prepare(config, count_splits=True)
    print_summary(make_console(), checked.summary)
    splits = ", ".join(f"{count:,} to {split}" for split, count in checked.rows.items())
    classes = f"; classes: {', '.join(checked.classes)}" if checked.classes else ""
    print(f"{options.config}: valid; rows: {checked.counts}; {splits}{classes}")
    return 0
