"""`pipeline run`: runs the pipeline."""

import argparse
import json

from pipeline.commands.options import Commands, add_command, config_options, json_option, load
from pipeline.errors import EXIT_NOT_BLESSED


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "run",
        "run the pipeline",
        run,
        parents=[config_options(), json_option()],
        examples=[
            "pipeline run",
            "pipeline run --config customers.yaml --set train.steps=500 --require-blessed",
        ],
    )
    parser.add_argument("--verbose", action="store_true", help="show the libraries' output as well")
    parser.add_argument(
        "--require-blessed", action="store_true", help="exit with 3 if the model is not blessed"
    )


def run(options: argparse.Namespace) -> int:
    """Runs the pipeline and prints its report."""
    config = load(options)
    from pipeline.run.session import run_pipeline

    report = run_pipeline(config, verbose=options.verbose, quiet=options.json)
    if options.json:
        print(json.dumps(report.to_json()))
    return EXIT_NOT_BLESSED if options.require_blessed and not report.blessed else 0
