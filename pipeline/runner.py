"""The runner of `pipeline run` and `tfx run create`: one run at a time, shown and tracked."""

import time
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.proto.orchestration import pipeline_pb2

from components.mlflow_tracker.client import Tracker
from components.mlflow_tracker.events import NodeOutcome, RunEnd, RunStart, RunStatus
from pipeline.config import Config
from pipeline.dag_runner import run_nodes
from pipeline.errors import NodeFailedError, RunKilledError
from pipeline.interrupts import Interrupts
from pipeline.report import Report, make_report
from pipeline.results import tracking_line
from pipeline.state import exclusive
from pipeline.views import PlainView

_STATE_SETTINGS = ("beam.", "cache", "mlflow.", "paths.", "push.")
"""What these say changes where a run's results go, and none of the results."""
SOURCE_DIR = Path(__file__).resolve().parent.parent


class PipelineRunner(LocalDagRunner):
    """Runs a pipeline as LocalDagRunner does, with all that a user expects around it.

    Everything happens in `run_with_ir`, behind the `run` that `tfx pipeline create` patches out.
    """

    report: Report

    def __init__(
        self, config: Config, view: AbstractContextManager[PlainView], interrupts: Interrupts
    ) -> None:
        """Prepares a run.

        Args:
            config: The configuration that the pipeline is made from.
            view: What the user sees; entered when the run begins.
            interrupts: Whether the user has interrupted it.
        """
        super().__init__()
        self._config = config
        self._view = view
        self._interrupts = interrupts

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None
    ) -> None:
        """Runs a compiled pipeline; `report` then says what came out.

        Args:
            pipeline: The compiled pipeline.
            run_options: Not supported.

        Raises:
            NodeFailedError: If a node fails.
            RunKilledError: If the run is interrupted.
            ValueError: If run options are given.
        """
        if run_options is not None:
            raise ValueError("partial runs are not supported")
        with self._view as view, exclusive(self._config.root_dir, view.say):
            self.report = self._run(pipeline, view)
            view.show(self.report)

    def _run(self, pipeline: pipeline_pb2.Pipeline, view: PlainView) -> Report:
        start = datetime.now().astimezone()
        recorder = _Recorder(view, _start_tracker(self._config))
        recorder.tracker.send(_run_start(self._config, start))
        status: RunStatus = "FAILED"
        try:
            run_nodes(pipeline, start.isoformat(), recorder, self._interrupts)
            status = "FINISHED"
        except NodeFailedError as error:
            error.log_path = view.log_path
            raise
        except (RunKilledError, KeyboardInterrupt):
            self._interrupts.acknowledge()
            status = "KILLED"
            raise
        finally:
            recorder.tracker.close(RunEnd(status, int(time.time() * 1000)))
            view.run_finished()
            view.say(tracking_line(recorder.tracker, self._config.tracking_uri))
        return make_report(start.isoformat(), recorder.tracker.mlflow_run_id, recorder.outcomes)


class _Recorder:
    """Passes what happens in a run on to the view and the tracker, and keeps it for the report."""

    def __init__(self, view: PlainView, tracker: Tracker) -> None:
        self._view = view
        self.tracker = tracker
        self.outcomes: list[NodeOutcome] = []

    def run_started(self, pipeline_run_id: str, node_ids: list[str]) -> None:
        self._view.run_started(pipeline_run_id, node_ids)

    def node_started(self, node_id: str) -> None:
        self._view.node_started(node_id)

    def node_finished(self, outcome: NodeOutcome) -> None:
        self._view.node_finished(outcome)
        self.tracker.send(outcome)
        self.outcomes.append(outcome)


def _start_tracker(config: Config) -> Tracker:
    return Tracker(config.tracking_uri, config.experiment, config.root_dir / "mlflow-artifacts")


def _run_name(config: Config, start: datetime) -> str:
    """Says what is special about a run, or when it was where nothing is."""
    special = [setting for setting in config.overrides if not setting.startswith(_STATE_SETTINGS)]
    return ", ".join(special) or f"{config.name} {start:%Y-%m-%d %H:%M:%S}"


def _run_start(config: Config, start: datetime) -> RunStart:
    return RunStart(
        pipeline_run_id=start.isoformat(),
        run_name=_run_name(config, start),
        start_ms=int(start.timestamp() * 1000),
        params=config.flatten(),
        config_yaml=config.to_yaml(),
        source_dir=str(SOURCE_DIR),
    )
