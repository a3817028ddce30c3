"""The command line: `pipeline run`, `validate`, `predict`, `schema`, `sync` and others."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.errors import EXIT_NOT_BLESSED, PipelineError, RunKilledError, StateError
from pipeline.settings.config import Config
from pipeline.settings.load import load_config
from tracking.uris import hide_credentials, is_server

_EXIT_BROKEN_PIPE = 141
"""As a shell has it of a program that the signal SIGPIPE ends."""
_WIDE = 200
"""Characters of a line where there is no terminal to ask."""


def main() -> None:
    """Runs the command and ends the process at once.

    TensorFlow's and Beam's clean-up at exit takes a second, and complains on standard error.
    """
    try:
        code = run_command(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, as `head` does, has read enough
        code = _EXIT_BROKEN_PIPE
    sys.stderr.flush()
    os._exit(code)


def run_command(arguments: Sequence[str]) -> int:
    """Runs one command.

    Args:
        arguments: The words after `pipeline`.

    Returns:
        The exit code: 0 done, 1 a node failed or schemas differ, 2 wrong configuration or input, 3
        not blessed where that was required, 130 interrupted.
    """
    options = make_parser().parse_args(arguments)
    try:
        if options.command == "init":
            return _init(options)
        config = load_config(options.config, options.set)
        return _COMMANDS[options.command](config, options)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return RunKilledError.exit_code


def _init(options: argparse.Namespace) -> int:
    from pipeline.init.command import write_config

    for sentence in write_config(options.data, options.label, options.output):
        print(sentence)
    print(f"next: pipeline run --config {options.output}")
    return 0


def _run(config: Config, options: argparse.Namespace) -> int:
    from pipeline.run.session import run_pipeline

    report = run_pipeline(config, verbose=options.verbose, quiet=options.json)
    if options.json:
        print(json.dumps(report.to_json()))
    return EXIT_NOT_BLESSED if options.require_blessed and not report.blessed else 0


def _validate(config: Config, options: argparse.Namespace) -> int:
    from pipeline.data.auto_features import resolve_features
    from pipeline.data.check import check_data
    from pipeline.graph.user_code import make_importable

    make_importable(config)
    config = resolve_features(config)
    summary = check_data(config)
    for note in config.notes:
        print(f"features: {note}")
    rows = ", ".join(f"{count} to {split}" for split, count in summary.rows.items())
    classes = f"; classes: {', '.join(summary.classes)}" if summary.classes else ""
    aside = f", {summary.quarantined} put aside" if summary.quarantined else ""
    print(f"{options.config}: valid; rows: {rows}{aside}{classes}")
    return 0


def _schema(config: Config, options: argparse.Namespace) -> int:
    from pipeline.commands.schema import run_schema_command

    return run_schema_command(
        options.action, config, _console(), options.output, force=options.force
    )


def _predict(config: Config, options: argparse.Namespace) -> int:
    from pipeline.predict.command import predict
    from pipeline.run.interrupts import Interrupts

    done = predict(
        config,
        Path(options.input),
        Path(options.output),
        version=options.version,
        force=options.force,
        interrupts=Interrupts(),
    )
    print(
        f"predicted {done.predicted:,} rows with version {done.version}, {done.quarantined:,}"
        " quarantined"
    )
    return 0


def _serve_models(config: Config, options: argparse.Namespace) -> int:
    from pipeline.commands.serve import serve

    serve(config, options.model)
    return 0


def _sync(config: Config, _: argparse.Namespace) -> int:
    from pipeline.commands.sync import sync

    report = sync(config, print)
    print(f"MLflow: {len(report.written)} runs written, {len(report.complete)} were complete")
    return 0


def _promote(config: Config, options: argparse.Namespace) -> int:
    from pipeline.commands.promote import promote

    version = options.version if options.command == "promote" else None
    served = promote(config, version)
    print(json.dumps(served.to_json()) if options.json else served.tell())
    return 0


def _compare(config: Config, options: argparse.Namespace) -> int:
    from pipeline.commands.compare import compare, find_runs, tables
    from pipeline.run.history import Journal

    comparison = compare(find_runs(Journal(config).runs(), options.runs))
    if options.json:
        print(json.dumps(comparison.to_json()))
        return 0
    console = _console()
    for table in tables(comparison):
        console.print(table, "")
    return 0


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDE)


def _ui(config: Config, options: argparse.Namespace) -> int:
    if is_server(config.tracking_uri):
        uri = hide_credentials(config.tracking_uri)
        print(f"the runs are tracked by a server, which has the UI: {uri}")
        return 0
    return _serve(
        "mlflow",
        "ui",
        f"--backend-store-uri={config.tracking_uri}",
        "--host=127.0.0.1",
        f"--port={options.port or 5000}",
    )


def _tensorboard(config: Config, options: argparse.Namespace) -> int:
    runs = config.pipeline_root.joinpath("Trainer", "model_run").glob("*/")
    trained = [run for run in runs if run.name.isdecimal()]
    if not trained:
        raise StateError(f"{config.root_dir}: no run of '{config.name}' has trained a model yet")
    logdir = max(trained, key=lambda run: int(run.name))
    return _serve(
        "tensorboard", f"--logdir={logdir}", "--host=127.0.0.1", f"--port={options.port or 6006}"
    )


def _serve(program: str, *arguments: str) -> int:
    """Becomes a program of this environment that serves a page until it is interrupted."""
    path = os.path.join(os.path.dirname(sys.executable), program)
    os.execv(path, [path, *arguments])  # noqa: S606 (a program of our own, no shell wanted)


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of all commands."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        metavar="FILE",
        default=os.environ.get("PIPELINE_CONFIG", "pipeline_config.yaml"),
        help="the configuration (default: $PIPELINE_CONFIG, else pipeline_config.yaml)",
    )
    common.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="replace a setting, as --set train.steps=500; may be repeated",
    )
    port = argparse.ArgumentParser(add_help=False)
    port.add_argument("--port", type=int, help="port on the loopback interface")

    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument(
        "--json", action="store_true", help="print one JSON object, and nothing else"
    )

    parser = argparse.ArgumentParser(
        prog="pipeline", description="From CSV files and one YAML file to a pushed, tracked model."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    init = commands.add_parser("init", help="write a configuration for a CSV file")
    init.add_argument("data", type=Path, metavar="DATA", help="a CSV file, or a folder of them")
    init.add_argument("--label", metavar="NAME", required=True, help="the column to predict")
    init.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        default=Path("pipeline_config.yaml"),
        help="the file to write (default: pipeline_config.yaml)",
    )
    run = commands.add_parser("run", parents=[common, as_json], help="run the pipeline")
    run.add_argument("--verbose", action="store_true", help="show the libraries' output as well")
    run.add_argument(
        "--require-blessed", action="store_true", help="exit with 3 if the model is not blessed"
    )
    commands.add_parser("validate", parents=[common], help="check configuration and data only")
    schema = commands.add_parser(
        "schema", parents=[common], help="show, write or compare the schema that data is held to"
    )
    schema.add_argument(
        "action",
        choices=("show", "write", "diff"),
        help="show it; write the inferred one to review; compare the reviewed with the inferred",
    )
    schema.add_argument(
        "--output", metavar="FILE", help="file to write (default: schema.pbtxt beside the config)"
    )
    schema.add_argument("--force", action="store_true", help="replace a file that is there")
    predict = commands.add_parser(
        "predict", parents=[common], help="predict for the rows of a CSV file by a pushed model"
    )
    predict.add_argument("--input", metavar="FILE", required=True, help="CSV file of raw rows")
    predict.add_argument(
        "--output",
        metavar="FILE",
        required=True,
        help="what is written: the same rows with predictions, .csv or .parquet",
    )
    predict.add_argument(
        "--version", type=int, metavar="N", help="pushed version (default: the champion)"
    )
    predict.add_argument("--force", action="store_true", help="replace an output that exists")
    promote = commands.add_parser(
        "promote", parents=[common, as_json], help="serve a version that was pushed before again"
    )
    promote.add_argument("version", type=int, metavar="VERSION", help="the pushed version")
    commands.add_parser(
        "rollback", parents=[common, as_json], help="serve the version before the one served"
    )
    _add_serve(commands, common)
    commands.add_parser(
        "sync", parents=[common], help="write to MLflow what it lacks of the runs there are"
    )
    compare = commands.add_parser(
        "compare", parents=[common, as_json], help="show what differs between runs, and the best"
    )
    compare.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="MLflow or pipeline run id, or its beginning; a run's name; latest, latest~1, ...",
    )
    commands.add_parser("ui", parents=[common, port], help="open the MLflow UI over the runs")
    commands.add_parser(
        "tensorboard", parents=[common, port], help="open TensorBoard on the last training"
    )
    return parser


def _add_serve(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds `serve`; most of its options are short for settings."""
    serve = commands.add_parser(
        "serve", parents=[common], help="serve the pushed model by REST and gRPC"
    )
    for option, setting, metavar, text in (
        ("--host", "host", "ADDRESS", "address to listen at (default: 127.0.0.1)"),
        ("--rest-port", "rest_port", "N", "port of REST (default: 8501; 0 takes a free one)"),
        ("--grpc-port", "grpc_port", "N", "port of gRPC (default: 8500; 0 takes a free one)"),
        ("--workers", "workers", "N", "processes that share the ports (default: 1)"),
    ):
        key = f"serving.{setting}={{}}"
        kind = json.dumps if setting == "host" else str
        serve.add_argument(
            option,
            metavar=metavar,
            dest="set",
            action="append",
            type=lambda value, key=key, kind=kind: key.format(kind(value)),
            help=text,
        )
    for option, setting, text in (
        ("--validate", "check_values", "refuse values unlike those of the training"),
        ("--access-log", "access_log", "log each request, a JSON line on standard output"),
    ):
        serve.add_argument(
            option,
            dest="set",
            action="append_const",
            const=f"serving.{setting}=true",
            help=text,
        )
    serve.add_argument(
        "--model",
        metavar="NAME=DIR",
        action="append",
        default=[],
        help="serve another folder of versions beside it; may be repeated",
    )


_COMMANDS: Mapping[str, Callable[[Config, argparse.Namespace], int]] = {
    "run": _run,
    "validate": _validate,
    "schema": _schema,
    "predict": _predict,
    "promote": _promote,
    "rollback": _promote,
    "serve": _serve_models,
    "sync": _sync,
    "compare": _compare,
    "ui": _ui,
    "tensorboard": _tensorboard,
}


if __name__ == "__main__":
    main()
