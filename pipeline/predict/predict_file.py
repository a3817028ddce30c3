"""Predicts for the rows of a CSV file with a pushed model, and writes rows and predictions."""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from absl import logging

from components.pusher.versions import list_versions
from pipeline.errors import ModelError, NodeFailedError, StateError
from pipeline.predict.blocks import read_block
from pipeline.predict.input import check_input, make_rules, read_rows, write_quarantined_rows
from pipeline.predict.model import PushedModel, read_model
from pipeline.predict.output import free_names, write_csv, write_parquet
from pipeline.run.interrupts import Interrupts
from pipeline.run.log_capture import redirected_output
from pipeline.run.state_dir import check_writable, scratch_dir_beside
from pipeline.settings.config import Config
from tabular.csv.dialect import Dialect
from tracking.quick_imports import quick_imports
from trainer.signatures import EXAMPLES_SIGNATURE

_NODE = "BatchPredictor"
_LONGEST_ERROR = 400
_OUTPUT, _QUARANTINE = "output", "quarantine"


@dataclass(frozen=True)
class Prediction:
    """The model version and numbers of rows of a batch prediction.

    Attributes:
        version: The version of the model.
        predicted: Number of rows in the output.
        quarantined: Number of rows that cannot be used, in the quarantine file beside the output.
    """

    version: int
    predicted: int
    quarantined: int


def predict(
    config: Config,
    input_path: Path,
    output_path: Path,
    *,
    version: int | None = None,
    force: bool = False,
    interrupts: Interrupts | None = None,
) -> Prediction:
    """Predicts for every row of a file of any size, in blocks.

    Args:
        config: The configuration; `data.csv` describes how the file is written.
        input_path: A CSV file with the columns that the model reads.
        output_path: The output, `.csv` or `.parquet`: the columns of the input, then the
            predictions. Rows that cannot be used go to `<output>.quarantine.csv`.
        version: The pushed version; None takes the newest, the champion.
        force: Whether to replace existing files.
        interrupts: Handles Ctrl-C; None leaves it to Python.

    Returns:
        The version and the numbers of rows, which add up to all rows of the input.

    Raises:
        InputError: If model, input or output are wrong; nothing is written.
        NodeFailedError: If the model fails; nothing is written.
    """
    quarantine_path = output_path.with_name(f"{output_path.name}.quarantine.csv")
    version, model = _find_model(config, version)
    header = check_input(input_path, model, version, config.data.csv.dialect)
    _check_output(input_path, output_path, quarantine_path, force=force)
    try:
        with scratch_dir_beside(output_path) as scratch_dir:
            with interrupts.heeded() if interrupts else nullcontext():
                counts = _predict(
                    config, model, input_path, header, scratch_dir, output_path.suffix
                )
            quarantine_path.unlink(missing_ok=True)
            if counts[1]:
                (scratch_dir / _QUARANTINE).rename(quarantine_path)
            (scratch_dir / _OUTPUT).rename(output_path)
    except OSError as error:
        place, words = error.filename or output_path, error.strerror or error
        raise StateError(f"{place}: cannot be written: {words}") from None
    return Prediction(version, *counts)


def _predict(
    config: Config,
    model: PushedModel,
    input_path: Path,
    header: Sequence[str],
    scratch_dir: Path,
    suffix: str,
) -> tuple[int, int]:
    """Writes output and quarantine file to the scratch folder, and counts the rows of both."""
    dialect = config.data.csv.dialect
    rules = make_rules(config, model)
    rows = read_rows(config, input_path, header, rules, scratch_dir)
    targets = {block: f"{block}.predicted" for block in rows.blocks}
    with _library_output_in_log(config):
        _predict_blocks(model, targets, dialect, config.beam.pipeline_args)
    pairs = ((read_block(block), read_block(target)) for block, target in targets.items())
    names = [*header, *free_names(model.columns, header)]
    path = scratch_dir / _OUTPUT
    if suffix == ".parquet":
        predicted = write_parquet(path, names, pairs, rows.types, dialect)
    else:
        predicted = write_csv(path, names, pairs, dialect)
    if predicted != rows.predicted:
        raise NodeFailedError(_NODE, f"{predicted} of {rows.predicted} rows have been predicted")
    if rows.quarantined:
        write_quarantined_rows(scratch_dir / _QUARANTINE, input_path, rows, rules, dialect)
    return predicted, rows.quarantined


def _check_output(
    input_path: Path, output_path: Path, quarantine_path: Path, *, force: bool
) -> None:
    """Checks that the output can be written, and does not exist unless `force` is set."""
    if output_path.suffix not in (".csv", ".parquet"):
        raise StateError(f"{output_path}: is neither .csv nor .parquet: correct --output")
    folder = output_path.absolute().parent
    if not folder.is_dir():
        raise StateError(
            f"{output_path}: there is no folder {folder}: make it, or correct --output"
        )
    check_writable(folder)
    if output_path.is_dir() or (output_path.exists() and os.path.samefile(input_path, output_path)):
        what = "a folder" if output_path.is_dir() else "the input"
        raise StateError(f"{output_path}: is {what}; expected a file to write: correct --output")
    for path in (output_path, quarantine_path):
        if path.exists() and not force:
            raise StateError(f"{path}: exists: name another --output, or replace it by --force")


def _find_model(config: Config, version: int | None) -> tuple[int, PushedModel]:
    versions = list_versions(config.push_dir)
    if not versions:
        raise ModelError(
            f"{config.push_dir}: no model of '{config.name}' has been pushed yet: pipeline run"
            " trains one, and pushes it if it meets its thresholds"
        )
    if version is not None and version not in versions:
        raise ModelError(
            f"{config.push_dir}: there is no version {version}; expected one of"
            f" {', '.join(map(str, versions))}: correct --version"
        )
    version = versions[-1] if version is None else version
    path = config.push_dir / str(version)
    try:
        return version, read_model(path)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path}: {error}; expected a model that this pipeline has pushed: name another by"
            " --version"
        ) from None


@contextmanager
def _library_output_in_log(config: Config) -> Iterator[None]:
    """Redirects the output of libraries to a log file, and adds its path to an error."""
    check_writable(config.root_dir)
    now = datetime.now().astimezone()
    log_path = config.root_dir / "logs" / f"{config.name}-predict-{now:%Y%m%d-%H%M%S.%f}.log"
    try:
        with redirected_output(log_path, verbose=False):
            logging.set_verbosity(logging.INFO)
            yield
    except NodeFailedError as error:
        error.log_path = log_path
        raise


def _predict_blocks(
    model: PushedModel, targets: Mapping[str, str], dialect: Dialect, beam_args: list[str]
) -> None:
    """Predicts for the blocks, after slow imports, which is why all checks come before."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="google.api_core")

    with quick_imports():
        from pipeline.predict.predictor import predict_blocks, signature_names

    try:
        names = signature_names(model.path)
        if EXAMPLES_SIGNATURE in names:
            predict_blocks(model, targets, dialect, beam_args)
            return
    except Exception as error:
        if _is_interrupt(error):
            raise KeyboardInterrupt from None
        logging.exception("%s failed", _NODE)
        words = " ".join(str(error).split())[
            :_LONGEST_ERROR
        ]  # the first line of TensorFlow's errors has no details
        raise NodeFailedError(_NODE, f"{type(error).__name__}: {words}") from error
    raise ModelError(
        f"{model.path}: has no signature '{EXAMPLES_SIGNATURE}', but {', '.join(names)}: name"
        " another by --version"
    )


def _is_interrupt(error: BaseException | None) -> bool:
    """Whether Beam raised an error because of Ctrl-C."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
