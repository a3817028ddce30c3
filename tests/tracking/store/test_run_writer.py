"""Runs in a real MLflow store."""

import json
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from tensorflow_metadata.proto.v0 import statistics_pb2

from tests.helpers.tracked_run import END, END_MS, START_MS, make_start, make_statistics
from tests.helpers.written_runs import DATASET, START, MakeWriter, runs_of
from tracking.events import RunEnd, RunStatus
from tracking.projection.event_files import Metric
from tracking.projection.projection import Projection, TrainedModel
from tracking.store.run_writer import RunWriter

# the run


def test_run_writer_makes_a_running_run(writer: RunWriter, client: MlflowClient) -> None:
    (run,) = runs_of(client, writer)

    assert run.info.run_id == writer.run_id
    assert (run.info.status, run.info.start_time) == ("RUNNING", START_MS)
    assert run.info.run_name == "iris, again"
    assert run.data.tags["tfx.pipeline_run_id"] == START.pipeline_run_id
    assert not writer.is_complete


def test_run_writer_finds_an_existing_run(
    writer: RunWriter, make_writer: MakeWriter, client: MlflowClient
) -> None:
    again = make_writer()

    assert (again.run_id, again.is_complete) == (writer.run_id, False)
    assert len(runs_of(client, writer)) == 1


def test_run_writer_makes_one_run_per_pipeline_run(
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


def test_run_writer_leaves_deleted_runs(
    writer: RunWriter, make_writer: MakeWriter, client: MlflowClient
) -> None:
    client.delete_run(writer.run_id)

    again = make_writer()

    assert (again.run_id, again.is_complete) == (writer.run_id, True)
    assert runs_of(client, writer) == []


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


def test_run_writer_writes_metrics(writer: RunWriter, client: MlflowClient) -> None:
    points = [Metric("loss", 0.5, 1, 1000), Metric("loss", 0.25, 11, 2000)]

    writer.write(Projection(metrics=points))

    assert history(client, writer.run_id, "loss") == points


def history(client: MlflowClient, run_id: str, key: str) -> list[Metric]:
    found = [
        Metric(m.key, m.value, m.step, m.timestamp) for m in client.get_metric_history(run_id, key)
    ]
    return sorted(found, key=lambda metric: metric.step)


def test_run_writer_writes_many_metrics(writer: RunWriter, client: MlflowClient) -> None:
    writer.write(Projection(metrics=[Metric("loss", 0.5, step, 0) for step in range(2500)]))

    assert len(client.get_metric_history(writer.run_id, "loss")) == 2500


def test_run_writer_writes_many_and_long_tags(writer: RunWriter, client: MlflowClient) -> None:
    many = {f"tag-{index}": "x" * 9000 for index in range(101)}

    writer.write(Projection(tags=many))

    tags = client.get_run(writer.run_id).data.tags
    found = {key: tag for key, tag in tags.items() if key.startswith("tag-")}
    assert found == dict.fromkeys(many, "x" * 8000)


def test_run_writer_writes_artifacts(writer: RunWriter, tmp_path: Path) -> None:
    content = {"a.txt": lambda: b"a", "deep/er/b.txt": lambda: b"\xffb"}

    writer.write(Projection(artifacts=content))

    (first,) = (tmp_path / "artifacts" / "iris").rglob("a.txt")
    assert writer.run_id in first.parts
    assert first.read_bytes() == b"a"
    assert (first.parent / "deep" / "er" / "b.txt").read_bytes() == b"\xffb"


def test_run_writer_writes_datasets(writer: RunWriter, client: MlflowClient) -> None:
    writer.write(Projection(datasets=[DATASET]))

    (found,) = client.get_run(writer.run_id).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == ("iris.csv (train)", "ab12")
    assert found.dataset.schema == '{"mlflow_colspec": []}'
    assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "training")]


def test_run_writer_reports_progress(make_writer: MakeWriter) -> None:
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


# the model


def test_run_writer_registers_the_model(
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
    """Writes the parts of a SavedModel that the tracker reads."""
    description = {
        "inputs": {"width": {"dtype": "float32", "shape": [-1]}},
        "outputs": {"classes": {"dtype": "string", "shape": [-1, 1]}},
    }
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "assets.extra" / "signature.json").write_text(json.dumps(description))
    (folder / "saved_model.pb").write_bytes(b"x")


@pytest.mark.filterwarnings("ignore:.*input example was not provided")
def test_run_writer_registers_without_statistics(
    make_writer: MakeWriter, client: MlflowClient, tmp_path: Path
) -> None:
    write_saved_model(tmp_path / "model")
    nothing = statistics_pb2.DatasetFeatureStatisticsList()  # as in a run without StatisticsGen

    make_writer().write(Projection(model=TrainedModel(str(tmp_path / "model"), END_MS, nothing)))

    assert len(client.search_model_versions("name = 'iris'")) == 1
