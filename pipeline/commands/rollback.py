"""`pipeline rollback`: serves the version before the one that is served."""

import argparse
import json

from pipeline.commands.options import Commands, add_command, config_options, json_option, load


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    add_command(
        commands,
        "rollback",
        "serve the version before the one served",
        rollback,
        parents=[config_options(), json_option()],
        examples=["pipeline rollback", "pipeline rollback --config customers.yaml --json"],
    )


def rollback(options: argparse.Namespace) -> int:
    """Promotes the version before and prints what is served."""
    config = load(options)
    from pipeline.commands.promotion import promote

    served = promote(config)
    print(json.dumps(served.to_json()) if options.json else served.describe())
    return 0
