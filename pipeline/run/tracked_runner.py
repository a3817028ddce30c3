"""The runner of `pipeline run` and `tfx run create`: shows and tracks one run at a time."""

import time
from contextlib import AbstractContextManager
from datetime import datetime

from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.proto.orchestration import pipeline_pb2

from pipeline.errors import NodeFailedError, RunKilledError, TrackingError
from pipeline.run.history import History
from pipeline.run.interrupted import keep_unfinished, samples_path, unfinished_dir
from pipeline.run.interrupts import Interrupts
from pipeline.run.node_loop import run_nodes
from pipeline.run.node_result import NodeResult
from pipeline.run.progress import PlainView
from pipeline.run.provenance import BEAM_TAG, make_run_start
from pipeline.run.report import Report, make_report
from pipeline.run.report_text import tracking_line
from pipeline.run.state_dir import exclusive
from pipeline.run.system_metrics import sampling
from pipeline.run.tracking import start_tracker
from pipeline.settings.config import Config
from tracking.client import Tracker
from tracking.events import (
    Event,
    NodeOutcome,
    NodeStart,
    RunEnd,
    RunStart,
    RunStatus,
)


class PipelineRunner(LocalDagRunner):
    """Runs a pipeline as LocalDagRunner does, and adds progress, tracking, locking and a report.

    `tfx pipeline create` executes the runner file with `run` patched out. All work is therefore in
    `run_with_ir`, which only `run` calls.

    Attributes:
        report: What came out of the run; set once it has ended without an error.
    """

    report: Report

    def __init__(
        self,
        config: Config,
        view: AbstractContextManager[PlainView],
        interrupts: Interrupts,
        tracker: Tracker | None = None,
    ) -> None:
        """Prepares a run.

        Args:
            config: The configuration that the pipeline is made from.
            view: Shows the run to the user; entered when the run begins.
            interrupts: Tells whether the user has interrupted the run.
            tracker: A tracker process that is running already; None starts one with the run,
                unless the configuration turns tracking off.
        """
        super().__init__()
        self._config = config
        self._view = view
        self._interrupts = interrupts
        self._tracker = tracker

    def run_with_ir(
        self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None
    ) -> None:
        """Runs a compiled pipeline, and sets `report`.

        Args:
            pipeline: The compiled pipeline.
            run_options: Not supported.

        Raises:
            NodeFailedError: If a node fails.
            RunKilledError: If the run is interrupted.
            TrackingError: If `mlflow.required` is true and MLflow fails; no node has run.
            ValueError: If run options are given.
        """
        if run_options is not None:
            raise ValueError("partial runs are not supported")
        with self._view as view, exclusive(self._config.root_dir, view.say):
            for note in self._config.notes:
                view.say(f"features: {note}")
            self.report = self._run(pipeline, view)
            view.show(self.report)

    def _run(self, pipeline: pipeline_pb2.Pipeline, view: PlainView) -> Report:
        config = self._config
        start = make_run_start(config, datetime.now().astimezone())
        run_id = start.pipeline_run_id
        history = History(config)
        history.close_killed()
        tracker = self._tracker or start_tracker(config)
        if tracker is not None:
            _begin_tracking(config, tracker, start)
        view.say(f"beam: {start.provenance[BEAM_TAG]}")
        recorder = _Recorder(config, start, view, history, tracker)
        history.start(start)
        status: RunStatus = "FAILED"
        try:
            path = samples_path(config.pipeline_root, run_id)
            with sampling(config.mlflow.system_metrics_seconds, path, recorder.track):
                run_nodes(pipeline, run_id, recorder, self._interrupts)
            status = "FINISHED"
        except NodeFailedError as error:
            error.log_path = view.log_path
            raise
        except (RunKilledError, KeyboardInterrupt):
            self._interrupts.acknowledge()
            status = "KILLED"
            raise
        finally:
            recorder.end(RunEnd(status, int(time.time() * 1000)))
            view.run_finished()
            view.say(tracking_line(recorder.tracker, config.tracking_uri))
        return make_report(run_id, recorder.mlflow_run_id, recorder.results)


class _Recorder:
    """Passes what happens in a run on to the view, the history in MLMD and the tracker."""

    def __init__(
        self,
        config: Config,
        start: RunStart,
        view: PlainView,
        history: History,
        tracker: Tracker | None,
    ) -> None:
        self._pipeline_root = config.pipeline_root
        self._start = start
        self._view = view
        self._history = history
        self.tracker = tracker
        self.results: list[NodeResult] = []

    @property
    def mlflow_run_id(self) -> str | None:
        return self.tracker.mlflow_run_id if self.tracker is not None else None

    def track(self, event: Event) -> None:
        if self.tracker is not None:
            self.tracker.send(event)

    def run_started(self, pipeline_run_id: str, node_ids: list[str]) -> None:
        self._view.run_started(pipeline_run_id, node_ids)

    def node_started(self, node_id: str) -> None:
        self._view.node_started(node_id)
        folder = unfinished_dir(self._pipeline_root, node_id)
        self.track(NodeStart(node_id, int(time.time() * 1000), str(folder) if folder else None))

    def node_finished(self, result: NodeResult) -> None:
        self._view.node_finished(result)
        self.results.append(result)
        run_id, kept = self._start.pipeline_run_id, None
        if result.state in ("failed", "killed"):
            kept = keep_unfinished(
                self._pipeline_root, result.node_id, run_id, self._start.start_ms
            )
        outcome = _to_outcome(result, kept)
        self.track(outcome)
        self._history.add(run_id, outcome)

    def end(self, end: RunEnd) -> None:
        self._history.end(self._start.pipeline_run_id, end)
        if self.tracker is not None:
            self.tracker.send(end)
            self.tracker.close()
            if self.tracker.error is None:
                self._history.link(self.tracker.runs)


def _to_outcome(result: NodeResult, unfinished_dir: str | None) -> NodeOutcome:
    """Makes the event that tracks the result of a node."""
    return NodeOutcome(
        node_id=result.node_id,
        state=result.state,
        seconds=result.seconds,
        end_ms=result.end_ms,
        execution_id=result.execution_id,
        outputs=result.outputs,
        computed_by=result.computed_by,
        error=result.error,
        unfinished_dir=unfinished_dir,
    )


def _begin_tracking(config: Config, tracker: Tracker, start: RunStart) -> None:
    tracker.send(start)
    if config.mlflow.required:
        tracker.wait_for_run()
        if tracker.error is not None:
            tracker.close()
            raise TrackingError(f"mlflow.required is true, but MLflow fails: {tracker.error}")
