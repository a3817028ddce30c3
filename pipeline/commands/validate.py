"""`pipeline validate`: checks configuration and data without a run."""

import argparse

from pipeline.commands.options import Commands, add_command, config_options, load


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
    """Checks configuration and data, and prints the rows of each split."""
    config = load(options)
    from pipeline.data.auto_features import resolve_features
    from pipeline.data.check import check_data
    from pipeline.graph.user_code import make_importable

    make_importable(config)
    config = resolve_features(config)
    summary = check_data(config)
    for note in config.notes:
        print(f"features: {note}")
    rows = ", ".join(f"{count} to {split}" for split, count in summary.rows.items())
    quarantined = f", {summary.quarantined} to quarantine" if summary.quarantined else ""
    classes = f"; classes: {', '.join(summary.classes)}" if summary.classes else ""
    print(f"{options.config}: valid; rows: {rows}{quarantined}{classes}")
    return 0
