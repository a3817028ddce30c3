"""Writes the trials of a sweep as MLflow runs below the run of the pipeline."""

from collections.abc import Callable, Mapping
from typing import Any

from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from tracking.events import RunEnd, RunStart, RunStatus
from tracking.projection.names import MAX_NAME_CHARS
from tracking.projection.trials import Trial, TrialState
from tracking.store.batches import find_run, log_batches

TRIAL_TAG = "tfx.trial"
"""Tag with pipeline run id and number of a trial, by which its MLflow run is found."""
_STATUS: Mapping[TrialState, RunStatus] = {
    "complete": "FINISHED",
    "stopped": "FINISHED",
    "failed": "FAILED",
}


class TrialWriter:
    """Writes the MLflow runs of the trials of one sweep."""

    def __init__(
        self,
        client: MlflowClient,
        start: RunStart,
        experiment_id: str,
        run_id: str,
        on_progress: Callable[[], None],
    ) -> None:
        """Starts without trials.

        Args:
            client: Client of the store.
            start: How the pipeline run began.
            experiment_id: Id of the experiment.
            run_id: Id of the MLflow run of the pipeline run, the parent.
            on_progress: Called whenever MLflow has responded.
        """
        self._on_progress = on_progress
        self._client = client
        self._start = start
        self._experiment_id = experiment_id
        self._run_id = run_id
        self._run_ids: dict[int, str] = {}
        self._running: set[str] = set()

    def write(self, trial: Trial) -> None:
        """Writes what is new in a trial."""
        run_id = self._run_ids.get(trial.number) or self._find(trial)
        params = {key: str(value) for key, value in trial.params.items()}
        tags: dict[str, str] = {"trial.state": trial.state}
        if trial.error is not None:
            tags["error"] = trial.error
        log_batches(self._client, run_id, params, trial.metrics, tags, self._on_progress)
        if trial.end_ms is not None:
            self._client.set_terminated(run_id, _STATUS[trial.state], trial.end_ms)
            self._running.discard(run_id)

    def end(self, end: RunEnd) -> None:
        """Ends the trials that are still running as KILLED."""
        for run_id in self._running:
            self._client.set_terminated(run_id, "KILLED", end.end_ms)

    def _find(self, trial: Trial) -> str:
        """Finds or makes the run of a trial."""
        name = f"{self._start.pipeline_run_id}/{trial.number}"
        run = find_run(self._client, self._experiment_id, TRIAL_TAG, name)
        if run is None:
            tags = {MLFLOW_PARENT_RUN_ID: self._run_id, TRIAL_TAG: name}
            settings = ", ".join(f"{key}={_short(value)}" for key, value in trial.params.items())
            run_name = f"trial {trial.number}: {settings}"[:MAX_NAME_CHARS]
            run = self._client.create_run(self._experiment_id, trial.start_ms, tags, run_name)
        run_id = self._run_ids[trial.number] = str(run.info.run_id)
        self._running.add(run_id)
        return run_id


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
