"""`pipeline promote`: serves a version again that was pushed before."""

import argparse
import json

from pipeline.commands.options import Commands, add_command, config_options, json_option, load


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "promote",
        "serve a version again that was pushed before",
        promote,
        parents=[config_options(), json_option()],
        examples=["pipeline promote 1795371651"],
    )
    parser.add_argument("version", type=int, metavar="VERSION", help="the pushed version")


def promote(options: argparse.Namespace) -> int:
    """Promotes the version and prints what is served."""
    config = load(options)
    from pipeline.commands.promotion import promote as promote_version

    served = promote_version(config, options.version)
    print(json.dumps(served.to_json()) if options.json else served.describe())
    return 0
