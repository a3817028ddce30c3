"""Writing to runs that exist, completely or in part."""

from pathlib import Path
from typing import Any

from mlflow.tracking import MlflowClient

from tests.helpers.tracked_run import END
from tests.helpers.written_runs import DATASET, MakeWriter, make_trial, runs_of, trials_of
from tracking.projection.event_files import Metric
from tracking.projection.projection import Projection
from tracking.store.run_writer import RunWriter

WHOLE = Projection(
    params={"train.steps": "200"},
    metrics=[Metric("loss", 0.5, 1, 1000), Metric("loss", float("nan"), 2, 2000)],
    tags={"blessed": "true"},
    artifacts={"a.txt": lambda: b"a"},
    datasets=[DATASET],
    trials=[make_trial(1), make_trial(2, "complete")],
)


def test_run_writer_writes_nothing_twice(
    make_writer: MakeWriter, client: MlflowClient, tmp_path: Path
) -> None:
    states = []
    for _ in range(2):
        writer = make_writer()
        writer.write(WHOLE)
        writer.end(END)
        states.append(state_of(client, writer))

    assert states[1] == states[0]
    assert [metric[1:] for metric in states[1]["points"]] == [(1, 1000), (2, 2000)]
    assert states[1]["data"]["params"] == {"train.steps": "200"}
    assert [name for name, _ in states[1]["datasets"]] == ["iris.csv (train)"]
    assert [number for number, _, _ in states[1]["trials"]] == ["1", "2"]
    assert len(list((tmp_path / "artifacts").rglob("a.txt"))) == 1


def state_of(client: MlflowClient, writer: RunWriter) -> dict[str, Any]:
    """Reads all that MLflow has of a run and of its trials."""
    run = client.get_run(writer.run_id)
    points = client.get_metric_history(writer.run_id, "loss")
    return {
        "n_runs": len(runs_of(client, writer)),
        "info": dict(run.info),
        "data": {"params": run.data.params, "tags": run.data.tags},
        "points": sorted((str(m.value), m.step, m.timestamp) for m in points),
        "datasets": [(d.dataset.name, str(d.tags)) for d in run.inputs.dataset_inputs],
        "trials": [
            (
                trial.data.tags["tfx.trial"].rpartition("/")[2],
                trial.info.status,
                len(client.get_metric_history(trial.info.run_id, "eval/accuracy")),
            )
            for trial in trials_of(client, writer)
        ],
    }


def test_run_writer_completes_a_partial_run(make_writer: MakeWriter, client: MlflowClient) -> None:
    make_writer().write(Projection(params=WHOLE.params, metrics=WHOLE.metrics[:1]))

    writer = make_writer()
    writer.write(WHOLE)
    writer.end(END)

    assert len(client.get_metric_history(writer.run_id, "loss")) == 2
    assert client.get_run(writer.run_id).info.status == "FINISHED"
    assert len(trials_of(client, writer)) == 2
