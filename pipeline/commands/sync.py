"""`pipeline sync`: writes to MLflow the runs, or parts of them, that it lacks."""

import argparse

from pipeline.commands.options import Commands, add_command, config_options, load


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    add_command(
        commands,
        "sync",
        "write to MLflow the runs that it lacks",
        sync,
        parents=[config_options()],
        examples=["pipeline sync", "pipeline sync --set mlflow.tracking_uri=http://127.0.0.1:5000"],
    )


def sync(options: argparse.Namespace) -> int:
    """Writes the runs and prints how many there were."""
    config = load(options)
    from pipeline.commands.mlflow_sync import sync_runs

    report = sync_runs(config, print)
    print(f"MLflow: {len(report.written)} runs written, {len(report.complete)} were complete")
    return 0
