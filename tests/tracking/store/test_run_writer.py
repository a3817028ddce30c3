"""Runs as they stand in a real MLflow store."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from tensorflow_metadata.proto.v0 import statistics_pb2

from tests.helpers.tracked_run import END, END_MS, START_MS, make_start, make_statistics
from tracking.events import RunEnd, RunStart, RunStatus
from tracking.projection.datasets import Dataset
from tracking.projection.event_files import Metric
from tracking.projection.projection import Projection, TrainedModel
from tracking.projection.trials import Trial, TrialState
from tracking.store.run_writer import RunWriter

START = make_start("2024-01-02T03:04:05.678900+00:00", run_name="iris, again")
MakeWriter = Callable[..., RunWriter]


@pytest.fixture
def make_writer(tracking_uri: str, tmp_path: Path) -> MakeWriter:
    def make(start: RunStart = START, on_progress: Callable[[], None] = lambda: None) -> RunWriter:
        return RunWriter(tracking_uri, str(tmp_path / "artifacts"), start, on_progress)

    return make


@pytest.fixture
def writer(make_writer: MakeWriter) -> RunWriter:
    return make_writer()


@pytest.fixture
def client(tracking_uri: str) -> MlflowClient:
    return MlflowClient(tracking_uri)


def runs_of(client: MlflowClient, writer: RunWriter) -> list[Run]:
    return list(client.search_runs([writer.experiment_id]))


# the run


def test_run_writer_makes_a_run_that_is_running(writer: RunWriter, client: MlflowClient) -> None:
    (run,) = runs_of(client, writer)

    assert run.info.run_id == writer.run_id
    assert (run.info.status, run.info.start_time) == ("RUNNING", START_MS)
    assert run.info.run_name == "iris, again"
    assert run.data.tags["tfx.pipeline_run_id"] == START.pipeline_run_id
    assert not writer.is_complete


def test_run_writer_finds_the_run_that_another_made(
    writer: RunWriter, make_writer: MakeWriter, client: MlflowClient
) -> None:
    again = make_writer()

    assert (again.run_id, again.is_complete) == (writer.run_id, False)
    assert len(runs_of(client, writer)) == 1


def test_run_writer_makes_a_run_for_each_pipeline_run(
    writer: RunWriter, make_writer: MakeWriter, client: MlflowClient
) -> None:
    other = make_writer(make_start("another"))

    assert other.run_id != writer.run_id
    assert len(runs_of(client, writer)) == 2


def test_run_writer_takes_a_long_name(make_writer: MakeWriter, client: MlflowClient) -> None:
    writer = make_writer(make_start(run_name="x" * 1000))

    assert client.get_run(writer.run_id).info.run_name == "x" * 250


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_run_writer_ends_a_run(
    writer: RunWriter, make_writer: MakeWriter, client: MlflowClient, status: RunStatus
) -> None:
    writer.end(RunEnd(status, END_MS))

    run = client.get_run(writer.run_id)
    assert (run.info.status, run.info.end_time) == (status, END_MS)
    assert run.data.tags["tfx.tracked"] == "complete"
    assert make_writer().is_complete


def test_run_writer_takes_a_deleted_run_for_complete(
    writer: RunWriter, make_writer: MakeWriter, client: MlflowClient
) -> None:
    client.delete_run(writer.run_id)

    again = make_writer()

    assert (again.run_id, again.is_complete) == (writer.run_id, True)
    assert runs_of(client, writer) == []


# the experiment


def test_run_writer_makes_an_experiment_once(make_writer: MakeWriter) -> None:
    first, second = make_writer(), make_writer(make_start("run-2"))
    other = make_writer(make_start(experiment="wine"))

    assert first.experiment_id == second.experiment_id != other.experiment_id


@pytest.mark.parametrize(
    ("metric", "is_better", "tag"),
    [("accuracy", True, "True"), ("cross_entropy", False, "False")],
)
def test_run_writer_tells_the_experiment_its_primary_metric(
    make_writer: MakeWriter, client: MlflowClient, metric: str, is_better: bool, tag: str
) -> None:
    make_writer(make_start(primary_metric="other", greater_is_better=not is_better))

    writer = make_writer(make_start(primary_metric=metric, greater_is_better=is_better))

    tags = client.get_experiment(writer.experiment_id).tags
    assert tags["mlflow.experiment.primaryMetric.name"] == metric
    assert tags["mlflow.experiment.primaryMetric.greaterIsBetter"] == tag
    assert tags["mlflow.experimentKind"] == "custom_model_development"


def test_run_writer_refuses_a_deleted_experiment(
    writer: RunWriter, make_writer: MakeWriter, client: MlflowClient
) -> None:
    client.delete_experiment(writer.experiment_id)

    with pytest.raises(MlflowException, match="active"):
        make_writer(make_start("another"))


def test_eight_run_writers_make_one_experiment_and_a_run_each(
    make_writer: MakeWriter, client: MlflowClient
) -> None:
    with ThreadPoolExecutor(8) as pool:
        starts = [make_start(f"run-{number}") for number in range(8)]
        writers = list(pool.map(make_writer, starts))

    assert len({writer.experiment_id for writer in writers}) == 1
    assert {run.info.run_id for run in runs_of(client, writers[0])} == {
        writer.run_id for writer in writers
    }


_CONNECT = """
import sys
sys.path.append("tests/helpers")
from tests.helpers.tracked_run import make_start
from tracking.store.run_writer import RunWriter
print(RunWriter(*sys.argv[2:], make_start(sys.argv[1])).experiment_id)
"""


def test_run_writers_of_two_processes_make_a_store_together(tmp_path: Path) -> None:
    uri, artifact_dir = f"sqlite:///{tmp_path / 'deep' / 'mlflow.db'}", str(tmp_path / "artifacts")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _CONNECT, pipeline_run_id, uri, artifact_dir],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for pipeline_run_id in ("run-1", "run-2")
    ]

    outputs = [process.communicate() for process in processes]

    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
    first, second = (experiment_id for experiment_id, _ in outputs)
    assert first == second


# write


@pytest.mark.parametrize(
    "params",
    [
        {f"features.x{index}": "numeric" for index in range(250)},
        {"features": "x" * 10_000},
        {
            "features.a\\b": "numeric",
            "features.a//b/": "numeric",
            "features." + "x" * 300: "numeric",
        },
    ],
    ids=["many", "long", "odd names"],
)
def test_run_writer_takes_any_parameters(
    writer: RunWriter, client: MlflowClient, params: dict[str, str]
) -> None:
    writer.write(Projection(params=params))

    found = client.get_run(writer.run_id).data.params
    assert list(found.values()) == [value[:6000] for value in params.values()]


def test_run_writer_writes_metrics_with_their_steps_and_times(
    writer: RunWriter, client: MlflowClient
) -> None:
    points = [Metric("loss", 0.5, 1, 1000), Metric("loss", 0.25, 11, 2000)]

    writer.write(Projection(metrics=points))

    assert history(client, writer.run_id, "loss") == points


def history(client: MlflowClient, run_id: str, key: str) -> list[Metric]:
    found = [
        Metric(m.key, m.value, m.step, m.timestamp) for m in client.get_metric_history(run_id, key)
    ]
    return sorted(found, key=lambda metric: metric.step)


def test_run_writer_writes_more_metrics_than_mlflow_takes_at_once(
    writer: RunWriter, client: MlflowClient
) -> None:
    writer.write(Projection(metrics=[Metric("loss", 0.5, step, 0) for step in range(2500)]))

    assert len(client.get_metric_history(writer.run_id, "loss")) == 2500


def test_run_writer_writes_more_tags_than_mlflow_takes_at_once_and_cuts_long_ones(
    writer: RunWriter, client: MlflowClient
) -> None:
    many = {f"tag-{index}": "x" * 9000 for index in range(101)}

    writer.write(Projection(tags=many))

    tags = client.get_run(writer.run_id).data.tags
    found = {key: tag for key, tag in tags.items() if key.startswith("tag-")}
    assert found == dict.fromkeys(many, "x" * 8000)


def test_run_writer_writes_artifacts_below_the_folder_of_the_experiment(
    writer: RunWriter, tmp_path: Path
) -> None:
    content = {"a.txt": lambda: b"a", "deep/er/b.txt": lambda: b"\xffb"}

    writer.write(Projection(artifacts=content))

    (first,) = (tmp_path / "artifacts" / "iris").rglob("a.txt")
    assert writer.run_id in first.parts
    assert first.read_bytes() == b"a"
    assert (first.parent / "deep" / "er" / "b.txt").read_bytes() == b"\xffb"


DATASET = Dataset("iris.csv (train)", "ab12", "{}", '{"mlflow_colspec": []}', "{}", "training")


def test_run_writer_writes_datasets_with_what_they_were_for(
    writer: RunWriter, client: MlflowClient
) -> None:
    writer.write(Projection(datasets=[DATASET]))

    (found,) = client.get_run(writer.run_id).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == ("iris.csv (train)", "ab12")
    assert found.dataset.schema == '{"mlflow_colspec": []}'
    assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "training")]


def test_run_writer_says_whenever_mlflow_has_answered(make_writer: MakeWriter) -> None:
    calls: list[None] = []
    writer = make_writer(on_progress=lambda: calls.append(None))
    counts = [len(calls)]

    for projection in (
        Projection(params={"a": "1"}),
        Projection(metrics=[Metric("loss", 0.5, 1, 1000)]),
        Projection(tags={"a": "1"}),
        Projection(artifacts={"a.txt": lambda: b"a"}),
        Projection(datasets=[DATASET]),
    ):
        writer.write(projection)
        counts.append(len(calls))
    writer.end(END)
    counts.append(len(calls))

    assert counts[0] > 0
    assert sorted(set(counts)) == counts  # more after each


# trials


def make_trial(number: int = 1, state: TrialState = "running", **changes: Any) -> Trial:
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
    query = f"tags.`mlflow.parentRunId` = '{writer.run_id}'"
    return list(client.search_runs([writer.experiment_id], query, order_by=["start_time"]))


def test_run_writer_makes_a_child_run_of_a_trial(writer: RunWriter, client: MlflowClient) -> None:
    writer.write(Projection(trials=[make_trial()]))

    (run,) = trials_of(client, writer)
    assert run.info.run_name == "trial 1: model.learning_rate=0.1, model.hidden_units=[10]"
    assert (run.info.status, run.info.start_time) == ("RUNNING", START_MS + 1)
    assert run.data.params == {"model.learning_rate": "0.1", "model.hidden_units": "[10]"}
    assert run.data.metrics == {"eval/accuracy": 0.5}
    assert run.data.tags["trial.state"] == "running"
    assert "tfx.pipeline_run_id" not in run.data.tags  # it is no pipeline run


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


def test_run_writer_kills_the_trials_that_a_run_leaves_running(
    writer: RunWriter, client: MlflowClient
) -> None:
    writer.write(Projection(trials=[make_trial(1), make_trial(2, "complete")]))

    writer.end(RunEnd("KILLED", END_MS))

    statuses = [run.info.status for run in trials_of(client, writer)]
    assert statuses == ["KILLED", "FINISHED"]


# the model


def test_run_writer_registers_the_model_and_tags_its_version(
    make_writer: MakeWriter, client: MlflowClient, tmp_path: Path
) -> None:
    write_saved_model(tmp_path / "model")
    model = TrainedModel(str(tmp_path / "model"), END_MS, make_statistics(99))

    for _ in range(2):
        writer = make_writer()
        writer.write(Projection(model=model))

    (version,) = client.search_model_versions("name = 'iris'")
    assert version.run_id == writer.run_id
    assert client.get_run(writer.run_id).data.tags["model_version"] == str(version.version)


def write_saved_model(folder: Path) -> None:
    """Writes what the tracker reads of a SavedModel."""
    description = {
        "inputs": {"width": {"dtype": "float32", "shape": [-1]}},
        "outputs": {"classes": {"dtype": "string", "shape": [-1, 1]}},
    }
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "assets.extra" / "signature.json").write_text(json.dumps(description))
    (folder / "saved_model.pb").write_bytes(b"x")


@pytest.mark.filterwarnings("ignore:.*input example was not provided")
def test_run_writer_registers_a_model_without_statistics(
    make_writer: MakeWriter, client: MlflowClient, tmp_path: Path
) -> None:
    write_saved_model(tmp_path / "model")
    nothing = statistics_pb2.DatasetFeatureStatisticsList()  # as a run without StatisticsGen has

    make_writer().write(Projection(model=TrainedModel(str(tmp_path / "model"), END_MS, nothing)))

    assert len(client.search_model_versions("name = 'iris'")) == 1


# writing again

WHOLE = Projection(
    params={"train.steps": "200"},
    metrics=[Metric("loss", 0.5, 1, 1000), Metric("loss", float("nan"), 2, 2000)],
    tags={"blessed": "true"},
    artifacts={"a.txt": lambda: b"a"},
    datasets=[DATASET],
    trials=[make_trial(1), make_trial(2, "complete")],
)


def test_run_writer_leaves_one_of_each_thing_that_is_written_again(
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
    """Gives all that MLflow has of a run, and of the trials below it."""
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


def test_run_writer_completes_a_run_that_was_written_in_part(
    make_writer: MakeWriter, client: MlflowClient
) -> None:
    make_writer().write(Projection(params=WHOLE.params, metrics=WHOLE.metrics[:1]))

    writer = make_writer()
    writer.write(WHOLE)
    writer.end(END)

    assert len(client.get_metric_history(writer.run_id, "loss")) == 2
    assert client.get_run(writer.run_id).info.status == "FINISHED"
    assert len(trials_of(client, writer)) == 2
