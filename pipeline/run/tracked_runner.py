"""The runner of `pipeline run` and `tfx run create`: one run at a time, shown and tracked."""

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.proto.orchestration import pipeline_pb2

from pipeline.errors import NodeFailedError, RunKilledError, TrackingError
from pipeline.run.history import Journal
from pipeline.run.interrupted import keep_unfinished, samples_path, unfinished_dir
from pipeline.run.interrupts import Interrupts
from pipeline.run.node_loop import run_nodes
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
    """Runs a pipeline as LocalDagRunner does, with all that a user expects around it.

    Everything happens in `run_with_ir`, behind the `run` that `tfx pipeline create` patches out.
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
            view: What the user sees; entered when the run begins.
            interrupts: Whether the user has interrupted it.
            tracker: What tracks it; None starts one with the run, if there is to be one.
        """
        super().__init__()
        self._config = config
        self._view = view
        self._interrupts = interrupts
        self._tracker = tracker

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
            TrackingError: If the run has to be tracked and cannot be; no node has run.
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
        journal = Journal(config)
        journal.close_killed()
        tracker = self._tracker or start_tracker(config)
        if tracker is not None:
            _begin_tracking(config, tracker, start)
        view.say(f"beam: {start.origin[BEAM_TAG]}")
        recorder = _Recorder(config, start, view, journal, tracker)
        journal.start(start)
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
        return make_report(run_id, recorder.mlflow_run_id, recorder.outcomes)


class _Recorder:
    """Passes what happens in a run on to the view, MLMD and the tracker, and keeps it."""

    def __init__(
        self,
        config: Config,
        start: RunStart,
        view: PlainView,
        journal: Journal,
        tracker: Tracker | None,
    ) -> None:
        self._pipeline_root = config.pipeline_root
        self._start = start
        self._view = view
        self._journal = journal
        self.tracker = tracker
        self.outcomes: list[NodeOutcome] = []

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

    def node_finished(self, outcome: NodeOutcome) -> None:
        self._view.node_finished(outcome)
        if outcome.state in ("failed", "killed"):
            kept = keep_unfinished(
                self._pipeline_root,
                outcome.node_id,
                self._start.pipeline_run_id,
                self._start.start_ms,
            )
            outcome = replace(outcome, unfinished_dir=kept)
        self.track(outcome)
        self._journal.add(self._start.pipeline_run_id, outcome)
        self.outcomes.append(outcome)

    def end(self, end: RunEnd) -> None:
        self._journal.end(self._start.pipeline_run_id, end)
        if self.tracker is not None:
            self.tracker.send(end)
            self.tracker.close()
            if self.tracker.error is None:
                self._journal.link(self.tracker.runs)


def _begin_tracking(config: Config, tracker: Tracker, start: RunStart) -> None:
    tracker.send(start)
    if config.mlflow.required:
        tracker.wait_for_run()
        if tracker.error is not None:
            tracker.close()
            raise TrackingError(f"mlflow.required is true, but MLflow fails: {tracker.error}")
