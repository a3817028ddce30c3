"""`pipeline schema`: shows, writes and compares the schema that data is checked against."""

import argparse

from pipeline.commands.options import Commands, add_command, config_options, load, make_console


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "schema",
        "show, write or compare the schema that data is checked against",
        schema,
        parents=[config_options()],
        examples=["pipeline schema show", "pipeline schema write --output reviewed.pbtxt"],
    )
    parser.add_argument(
        "action",
        choices=("show", "write", "diff"),
        help="show it; write the inferred one to review; compare the reviewed with the inferred",
    )
    parser.add_argument(
        "--output", metavar="FILE", help="file to write (default: schema.pbtxt beside the config)"
    )
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def schema(options: argparse.Namespace) -> int:
    """Runs the action; exits with 1 if `diff` finds a difference."""
    config = load(options)
    from pipeline.commands.schema_actions import run_action

    return run_action(options.action, config, make_console(), options.output, force=options.force)
