"""Experiments of runs in a real MLflow store."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from tests.helpers.tracked_run import make_start
from tests.helpers.written_runs import MakeWriter, runs_of
from tracking.store.run_writer import RunWriter


def test_run_writer_makes_an_experiment_once(make_writer: MakeWriter) -> None:
    first, second = make_writer(), make_writer(make_start("run-2"))
    other = make_writer(make_start(experiment="wine"))

    assert first.experiment_id == second.experiment_id != other.experiment_id


@pytest.mark.parametrize(
    ("metric", "is_better", "tag"),
    [("accuracy", True, "True"), ("cross_entropy", False, "False")],
)
def test_run_writer_tags_the_experiment(
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


def test_run_writers_share_one_experiment(make_writer: MakeWriter, client: MlflowClient) -> None:
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


def test_run_writers_make_a_store_together(tmp_path: Path) -> None:
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
