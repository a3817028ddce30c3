"""`pipeline serve`: serves the pushed model by REST and gRPC."""

import argparse
import json
from collections.abc import Callable
from functools import partial

from pipeline.commands.options import Commands, add_command, config_options, load

_SETTINGS = (
    ("--host", "host", "ADDRESS", "address to listen at (default: 127.0.0.1)"),
    ("--rest-port", "rest_port", "N", "port of REST (default: 8501; 0 takes a free one)"),
    ("--grpc-port", "grpc_port", "N", "port of gRPC (default: 8500; 0 takes a free one)"),
    ("--workers", "workers", "N", "processes that share the ports (default: 1)"),
)
_FLAGS = (
    ("--validate", "check_values", "refuse values unlike those of the training"),
    ("--access-log", "access_log", "log each request, a JSON line on standard output"),
)


def add_parser(commands: Commands) -> None:
    """Adds the command; most of its options are short for a `--set serving.<setting>`."""
    parser = add_command(
        commands,
        "serve",
        "serve the pushed model by REST and gRPC",
        serve,
        parents=[config_options()],
        examples=[
            "pipeline serve",
            "pipeline serve --rest-port 8080 --workers 4 --model taxi=artifacts/serving/taxi",
        ],
    )
    for option, setting, metavar, text in _SETTINGS:
        to_yaml = json.dumps if setting == "host" else str
        parser.add_argument(
            option,
            metavar=metavar,
            dest="set",
            action="append",
            type=partial(_to_override, setting, to_yaml),
            help=text,
        )
    for option, setting, text in _FLAGS:
        parser.add_argument(
            option,
            dest="set",
            action="append_const",
            const=f"serving.{setting}=true",
            help=text,
        )
    parser.add_argument(
        "--model",
        metavar="NAME=DIR",
        action="append",
        default=[],
        help="serve another folder of versions as well; may be repeated",
    )


def _to_override(setting: str, to_yaml: Callable[[str], str], value: str) -> str:
    return f"serving.{setting}={to_yaml(value)}"


def serve(options: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT."""
    config = load(options)
    from pipeline.commands.model_server import serve_models

    serve_models(config, options.model)
    return 0
