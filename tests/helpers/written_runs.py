"""Runs in an MLflow store."""

from collections.abc import Callable
from typing import Any

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from tests.helpers.tracked_run import END_MS, START_MS, make_start
from tracking.projection.datasets import Dataset
from tracking.projection.event_files import Metric
from tracking.projection.trials import Trial, TrialState
from tracking.store.run_writer import RunWriter

START = make_start("2024-01-02T03:04:05.678900+00:00", run_name="iris, again")
DATASET = Dataset("iris.csv (train)", "ab12", "{}", '{"mlflow_colspec": []}', "{}", "training")
MakeWriter = Callable[..., RunWriter]
"""Makes a writer of a run that began so; by default `START`."""


def runs_of(client: MlflowClient, writer: RunWriter) -> list[Run]:
    """Lists the runs of the experiment."""
    return list(client.search_runs([writer.experiment_id]))


def make_trial(number: int = 1, state: TrialState = "running", **changes: Any) -> Trial:
    """Makes a trial; changes replace fields."""
    values: dict[str, Any] = {
        "params": {"model.learning_rate": 0.1, "model.hidden_units": [10]},
        "start_ms": START_MS + number,
        "end_ms": None if state == "running" else END_MS,
        "objective": "accuracy",
        "objective_is": "max",
        "score": None,
        "step": None,
        "error": None,
        "metrics": [Metric("eval/accuracy", 0.5, 10, 1000)],
    }
    return Trial(number, state=state, **{**values, **changes})


def trials_of(client: MlflowClient, writer: RunWriter) -> list[Run]:
    """Lists the runs of the trials of a run."""
    query = f"tags.`mlflow.parentRunId` = '{writer.run_id}'"
    return list(client.search_runs([writer.experiment_id], query, order_by=["start_time"]))
