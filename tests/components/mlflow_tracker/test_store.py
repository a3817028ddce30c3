"""Runs as they stand in a real MLflow store."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from components.mlflow_tracker.events import RunEnd, RunStart
from components.mlflow_tracker.projection import Metric, Projection
from components.mlflow_tracker.store import RunWriter, git_tags

START = RunStart(
    pipeline_run_id="2024-01-02T03:04:05.678900+00:00",
    run_name="iris, again",
    start_ms=1_700_000_000_000,
    params={"train.steps": 200, "model.hidden_units": [10, 10], "push.directory": None},
    config_yaml="name: iris\n# größer\n",
    source_dir="/nowhere",
)
MakeWriter = Callable[..., RunWriter]


@pytest.fixture
def make_writer(tracking_uri: str, tmp_path: Path) -> MakeWriter:
    def make(experiment: str = "iris") -> RunWriter:
        return RunWriter(tracking_uri, experiment, str(tmp_path / "artifacts"))

    return make


@pytest.fixture
def writer(make_writer: MakeWriter) -> RunWriter:
    """A writer whose run has begun."""
    writer = make_writer()
    writer.start(START)
    return writer


@pytest.fixture
def client(tracking_uri: str) -> MlflowClient:
    return MlflowClient(tracking_uri)


def runs_of(client: MlflowClient, writer: RunWriter) -> list[Run]:
    return list(client.search_runs([writer.experiment_id]))


# start


def test_run_writer_makes_a_run_that_is_running(writer: RunWriter, client: MlflowClient) -> None:
    (run,) = runs_of(client, writer)

    assert run.info.run_id == writer.run_id
    assert (run.info.status, run.info.start_time) == ("RUNNING", 1_700_000_000_000)
    assert run.info.run_name == "iris, again"


def test_run_writer_tags_a_run(writer: RunWriter, client: MlflowClient) -> None:
    tags = client.get_run(writer.run_id).data.tags

    assert tags["tfx.pipeline_run_id"] == START.pipeline_run_id
    assert tags["mlflow.source.name"] == "/nowhere"
    assert tags["mlflow.source.type"] == "PIPELINE"
    assert tags["mlflow.user"]


def test_run_writer_writes_every_parameter(writer: RunWriter, client: MlflowClient) -> None:
    assert client.get_run(writer.run_id).data.params == {
        "train.steps": "200",
        "model.hidden_units": "[10, 10]",
        "push.directory": "None",
    }


def test_run_writer_writes_the_configuration_below_the_artifact_folder(
    writer: RunWriter, tmp_path: Path
) -> None:
    (path,) = (tmp_path / "artifacts" / "iris").rglob("pipeline_config.yaml")

    assert path.read_text("utf-8") == START.config_yaml
    assert writer.run_id in path.parts


def test_run_writer_finds_the_run_that_it_made_before(
    writer: RunWriter, make_writer: MakeWriter, client: MlflowClient
) -> None:
    again = make_writer()

    again.start(START)

    assert again.run_id == writer.run_id
    assert len(runs_of(client, writer)) == 1


def test_run_writer_makes_a_run_for_each_pipeline_run(
    writer: RunWriter, make_writer: MakeWriter, client: MlflowClient
) -> None:
    other = make_writer()

    other.start(RunStart(**{**vars(START), "pipeline_run_id": "another"}))

    assert other.run_id != writer.run_id
    assert len(runs_of(client, writer)) == 2


def test_run_writer_makes_an_experiment_once(make_writer: MakeWriter) -> None:
    first, second, other = make_writer(), make_writer(), make_writer("wine")

    assert first.experiment_id == second.experiment_id != other.experiment_id


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
    make_writer: MakeWriter, client: MlflowClient, params: dict[str, Any]
) -> None:
    writer = make_writer()

    writer.start(RunStart(**{**vars(START), "params": params}))

    assert len(client.get_run(writer.run_id).data.params) == len(params)


# write


def test_run_writer_writes_metrics_with_their_steps_and_times(
    writer: RunWriter, client: MlflowClient
) -> None:
    points = [Metric("loss", 0.5, 1, 1000), Metric("loss", 0.25, 11, 2000)]

    writer.write(Projection(metrics=points))

    history = client.get_metric_history(writer.run_id, "loss")
    found = [Metric(m.key, m.value, m.step, m.timestamp) for m in history]
    assert sorted(found, key=lambda metric: metric.step) == points


def test_run_writer_writes_more_metrics_than_mlflow_takes_at_once(
    writer: RunWriter, client: MlflowClient
) -> None:
    writer.write(Projection(metrics=[Metric("loss", 0.5, step, 0) for step in range(2500)]))

    assert len(client.get_metric_history(writer.run_id, "loss")) == 2500


def test_run_writer_writes_the_same_metrics_twice_as_once(
    writer: RunWriter, client: MlflowClient
) -> None:
    for _ in range(2):
        writer.write(Projection(metrics=[Metric("loss", 0.5, 1, 1000)]))

    assert len(client.get_metric_history(writer.run_id, "loss")) == 1


def test_run_writer_writes_tags(writer: RunWriter, client: MlflowClient) -> None:
    many = {f"tag-{index}": "x" * 9000 for index in range(101)}

    writer.write(Projection(tags=many))

    tags = client.get_run(writer.run_id).data.tags
    assert {name for name in tags if name.startswith("tag-")} == set(many)


def test_run_writer_writes_files(writer: RunWriter, client: MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text("{}")

    writer.write(Projection(files={"evaluation": [str(tmp_path / "summary.json")]}))

    (file,) = client.list_artifacts(writer.run_id, "evaluation")
    assert file.path == "evaluation/summary.json"


# find_run, end


def test_run_writer_finds_the_run_of_another_pipeline_run(
    writer: RunWriter, make_writer: MakeWriter
) -> None:
    assert make_writer().find_run(START.pipeline_run_id) == writer.run_id


def test_run_writer_finds_no_run_that_is_not_there(writer: RunWriter) -> None:
    assert writer.find_run("another") is None


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_run_writer_ends_a_run(
    writer: RunWriter,
    client: MlflowClient,
    status: Literal["FINISHED", "FAILED", "KILLED"],
) -> None:
    writer.end(RunEnd(status, 1_700_000_009_000))

    info = client.get_run(writer.run_id).info
    assert (info.status, info.end_time) == (status, 1_700_000_009_000)


# git_tags


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    for arguments in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "x"]):
        folder.mkdir(exist_ok=True)
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    return folder


@pytest.mark.parametrize("is_dirty", [False, True])
def test_git_tags_name_the_commit_and_whether_the_folder_differs(
    checkout: Path, is_dirty: bool
) -> None:
    if is_dirty:
        (checkout / "new").write_text("")

    tags = git_tags(str(checkout))

    commit = (checkout / ".git" / "refs" / "heads").iterdir()
    (commit_id,) = (path.read_text().strip() for path in commit)
    assert tags == {
        "mlflow.source.git.commit": commit_id,
        "git.commit": commit_id,
        "git.dirty": "true" if is_dirty else "false",
    }


def test_git_tags_are_empty_outside_a_checkout(tmp_path: Path) -> None:
    assert git_tags(str(tmp_path)) == {}


def test_git_tags_are_empty_for_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert git_tags(str(tmp_path / "absent")) == {}


# a new store

_CONNECT = """
import sys
from components.mlflow_tracker.store import RunWriter
print(RunWriter(*sys.argv[1:]).experiment_id)
"""


def test_run_writers_of_two_processes_make_a_store_together(tmp_path: Path) -> None:
    uri, artifact_dir = f"sqlite:///{tmp_path / 'deep' / 'mlflow.db'}", str(tmp_path / "artifacts")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _CONNECT, uri, "iris", artifact_dir],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    outputs = [process.communicate() for process in processes]

    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
    first, second = (experiment_id for experiment_id, _ in outputs)
    assert first == second
