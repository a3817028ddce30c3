"""Starts a run: checks the inputs, sends library output to a log, shows the run's messages."""

import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING

from absl import logging
from rich.console import Console

from pipeline.data.prepare import prepare
from pipeline.run.interrupts import Interrupts
from pipeline.run.log_capture import redirected_output
from pipeline.run.progress import LiveView, PlainView
from pipeline.run.report import Report
from pipeline.run.state_dir import check_writable
from pipeline.run.tracking import start_tracker
from pipeline.settings.config import Config
from tracking.client import Tracker
from tracking.quick_imports import quick_imports

if TYPE_CHECKING:
    from pipeline.run.tracked_runner import PipelineRunner


def run_pipeline(config: Config, *, verbose: bool = False, quiet: bool = False) -> Report:
    """Checks the inputs, runs the pipeline and shows the results.

    Args:
        config: The configuration.
        verbose: Whether library output is shown too.
        quiet: Whether nothing is shown.

    Returns:
        The report of the run.

    Raises:
        InputError: If the user's functions, the data or the state folder are wrong; no node ran.
        NodeFailedError: If a node fails.
        RunKilledError: If the run is interrupted in a node.
        KeyboardInterrupt: If it is interrupted outside a node.
    """
    config = prepare(config).config
    with open_view(config, verbose=verbose, quiet=quiet) as view:
        return start(config, nullcontext(view), start_tracker(config)).report


def start(
    config: Config, view: AbstractContextManager[PlainView], tracker: Tracker | None = None
) -> "PipelineRunner":
    """Makes the pipeline and runs it; the slow imports happen here, after all checks.

    Args:
        config: The configuration, its data checked.
        view: Shows the run; entered when the run begins.
        tracker: A tracker process that is running already; None starts one with the run, unless the
            configuration turns tracking off.

    Returns:
        The runner, with the report of the run.
    """
    interrupts = Interrupts()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="google.api_core")

    with quick_imports():
        from pipeline.graph.create_pipeline import create_pipeline
        from pipeline.run.tracked_runner import PipelineRunner

    runner = PipelineRunner(config, view, interrupts, tracker)
    runner.run(create_pipeline(config))
    return runner


@contextmanager
def open_view(config: Config, *, verbose: bool = False, quiet: bool = False) -> Iterator[PlainView]:
    """Sends library output to a log file, and opens the view of a run on the screen.

    Args:
        config: The configuration; the log is written below its state folder.
        verbose: Whether library output is shown too, on standard error.
        quiet: Whether nothing is shown.

    Yields:
        The view.

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
    with redirected_output(log_path, verbose=verbose) as screen:
        logging.set_verbosity(logging.INFO)
        console = Console(file=screen, quiet=quiet)
        live = console.is_terminal and not (verbose or quiet)
        with LiveView(console, log_path) if live else PlainView(console, log_path) as view:
            yield view
