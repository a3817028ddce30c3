"""`pipeline predict`: writes predictions for the rows of a CSV file."""

import argparse
from pathlib import Path

from pipeline.commands.options import Commands, add_command, config_options, load


def add_parser(commands: Commands) -> None:
    """Adds the command."""
    parser = add_command(
        commands,
        "predict",
        "predict for the rows of a CSV file with a pushed model",
        predict,
        parents=[config_options()],
        examples=[
            "pipeline predict --input new.csv --output predictions.csv",
            "pipeline predict --input new.csv --output predictions.parquet --force",
        ],
    )
    parser.add_argument("--input", metavar="FILE", required=True, help="CSV file of raw rows")
    parser.add_argument(
        "--output",
        metavar="FILE",
        required=True,
        help="file to write, .csv or .parquet: the same rows with predictions",
    )
    parser.add_argument(
        "--version", type=int, metavar="N", help="pushed version (default: the champion)"
    )
    parser.add_argument("--force", action="store_true", help="replace an output that exists")


def predict(options: argparse.Namespace) -> int:
    """Writes the predictions and prints how many there are."""
    config = load(options)
    from pipeline.predict.predict_file import predict as predict_rows
    from pipeline.run.interrupts import Interrupts

    done = predict_rows(
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
