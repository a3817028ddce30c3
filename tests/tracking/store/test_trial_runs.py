"""Trials of a sweep as runs in a real MLflow store."""

import pytest
from mlflow.tracking import MlflowClient

from tests.helpers.tracked_run import END_MS, START_MS
from tests.helpers.written_runs import make_trial, trials_of
from tracking.events import RunEnd
from tracking.projection.projection import Projection
from tracking.projection.trials import TrialState
from tracking.store.run_writer import RunWriter


def test_run_writer_makes_a_child_run_of_a_trial(writer: RunWriter, client: MlflowClient) -> None:
    writer.write(Projection(trials=[make_trial()]))

    (run,) = trials_of(client, writer)
    assert run.info.run_name == "trial 1: model.learning_rate=0.1, model.hidden_units=[10]"
    assert (run.info.status, run.info.start_time) == ("RUNNING", START_MS + 1)
    assert run.data.params == {"model.learning_rate": "0.1", "model.hidden_units": "[10]"}
    assert run.data.metrics == {"eval/accuracy": 0.5}
    assert run.data.tags["trial.state"] == "running"
    assert "tfx.pipeline_run_id" not in run.data.tags  # not a pipeline run


@pytest.mark.parametrize(
    ("state", "status"),
    [("complete", "FINISHED"), ("stopped", "FINISHED"), ("failed", "FAILED")],
)
def test_run_writer_ends_a_trial(
    writer: RunWriter, client: MlflowClient, state: TrialState, status: str
) -> None:
    error = "ValueError: x" if state == "failed" else None
    writer.write(Projection(trials=[make_trial()]))

    writer.write(Projection(trials=[make_trial(state=state, error=error)]))
    writer.end(RunEnd("FINISHED", END_MS + 1))

    (run,) = trials_of(client, writer)
    assert (run.info.status, run.info.end_time) == (status, END_MS)
    assert run.data.tags["trial.state"] == state
    assert run.data.tags.get("error") == error


def test_run_writer_ends_running_trials(writer: RunWriter, client: MlflowClient) -> None:
    writer.write(Projection(trials=[make_trial(1), make_trial(2, "complete")]))

    writer.end(RunEnd("KILLED", END_MS))

    statuses = [run.info.status for run in trials_of(client, writer)]
    assert statuses == ["KILLED", "FINISHED"]
