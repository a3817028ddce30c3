"""A run as its user starts it: inputs checked, chatter in a log, its own words on the screen."""

import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from absl import logging
from rich.console import Console

from components.mlflow_tracker.client import Tracker
from components.quick_imports import quick_imports
from pipeline.auto_features import resolve_features
from pipeline.config import Config
from pipeline.data_check import check_data
from pipeline.interrupts import Interrupts
from pipeline.output import divided_output
from pipeline.own_code import make_importable
from pipeline.report import Report
from pipeline.state import check_writable
from pipeline.views import LiveView, PlainView

if TYPE_CHECKING:
    from pipeline.runner import PipelineRunner


def run_pipeline(config: Config, *, verbose: bool = False, quiet: bool = False) -> Report:
    """Checks the inputs, runs the pipeline and shows what came out.

    Args:
        config: The configuration.
        verbose: Whether the libraries' chatter is shown too.
        quiet: Whether nothing is shown.

    Returns:
        What came out.

    Raises:
        InputError: If an own function, the data or the state folder is wrong; nothing has run.
        NodeFailedError: If a node fails.
        RunKilledError: If the run is interrupted in a node.
        KeyboardInterrupt: If it is interrupted elsewhere.
    """
    make_importable(config)
    config = resolve_features(config)
    check_data(config)
    with open_view(config, verbose=verbose, quiet=quiet) as view:
        return start(config, nullcontext(view), start_tracker(config)).report


def start_tracker(config: Config) -> Tracker | None:
    """Starts the process that writes to MLflow, if runs are to be tracked.

    It imports MLflow while this process imports TFX, and ends with this process.
    """
    if not config.mlflow.enabled:
        return None
    return Tracker(config.tracking_uri, config.mlflow_artifact_dir)


def start(
    config: Config, view: AbstractContextManager[PlainView], tracker: Tracker | None = None
) -> "PipelineRunner":
    """Makes the pipeline and runs it; the slow imports happen here, after all checks.

    Args:
        config: The configuration, its data checked.
        view: Entered when the run begins, and only then.
        tracker: What tracks the run; None starts one with the run, if there is to be one.

    Returns:
        The runner, which knows what came out.
    """
    interrupts = Interrupts()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="google.api_core")

    with quick_imports():
        from pipeline.graph import create_pipeline
        from pipeline.runner import PipelineRunner

    runner = PipelineRunner(config, view, interrupts, tracker)
    runner.run(create_pipeline(config))
    return runner


@contextmanager
def open_view(config: Config, *, verbose: bool = False, quiet: bool = False) -> Iterator[PlainView]:
    """Divides screen and log for a run.

    Args:
        config: The configuration; the log goes below its state folder.
        verbose: Whether the chatter is shown too, on standard error.
        quiet: Whether nothing is shown.

    Yields:
        What the run is shown by.

    Raises:
        StateError: If the state folder or the serving folder cannot be written.
    """
    check_writable(config.root_dir)
    check_writable(config.push_dir)
    log_path = (
        config.root_dir
        / "logs"
        / f"{config.name}-{datetime.now().astimezone():%Y%m%d-%H%M%S.%f}.log"
    )
    with divided_output(log_path, verbose=verbose) as screen:
        logging.set_verbosity(logging.INFO)
        console = Console(file=screen, quiet=quiet)
        live = console.is_terminal and not (verbose or quiet)
        with LiveView(console, log_path) if live else PlainView(console, log_path) as view:
            yield view


def default_config_path() -> Path:
    """Gives the configuration of a run for which none is named: the project's own."""
    return Path(__file__).resolve().parent.parent / "pipeline_config.yaml"
