"""The shipped pipeline from an empty state folder: its outputs, and what later runs repeat."""

import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.models.columns import read_columns
from tests.helpers.e2e_workspace import Workspace, ran, states
from tests.helpers.paths import PROJECT_DIR

pytestmark = pytest.mark.e2e

NODES = [
    "CsvExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "ExampleValidator",
    "DataGate",
    "Transform",
    "Trainer",
    "BaselineResolver",
    "Evaluator",
    "ServingCheck",
    "Pusher",
]
FROM_TRAINER = {"Trainer", "BaselineResolver", "Evaluator", "ServingCheck", "Pusher"}


def test_first_run_runs_every_node(first_run: dict[str, Any]) -> None:
    assert states(first_run) == dict.fromkeys(NODES, "done")


def test_first_run_blesses_good_model(first_run: dict[str, Any]) -> None:
    assert first_run["blessed"] is True
    assert first_run["metrics"]["accuracy"] >= 0.93
    assert first_run["metrics"]["example_count"] == 57


def test_first_run_pushes_model_for_raw_rows(first_run: dict[str, Any]) -> None:
    model = tf.saved_model.load(first_run["pushed_path"])
    answer = model.signatures["serving_default"](
        sepal_length=tf.constant([5.1, 6.7]),
        sepal_width=tf.constant([3.3, 3.0]),
        petal_length=tf.constant([1.7, 5.2]),
        petal_width=tf.constant([0.5, 2.3]),
    )
    assert answer["classes"].numpy().ravel().tolist() == [b"setosa", b"virginica"]
    np.testing.assert_allclose(answer["probabilities"].numpy().sum(axis=1), [1, 1], rtol=1e-6)
    assert Path(first_run["pushed_path"]).name == first_run["pushed_version"]


def test_first_run_describes_columns_of_model(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    train = (workspace.root / "pipeline_root/iris/CsvExampleGen").glob("examples/*/Split-train/*")
    records = tf.data.TFRecordDataset([str(path) for path in train], "GZIP")
    features = [tf.train.Example.FromString(record.numpy()).features.feature for record in records]

    columns = read_columns(Path(first_run["pushed_path"]))

    assert list(columns) == ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    for name, column in columns.items():
        values = [example[name].float_list.value[0] for example in features]
        # The shortest numbers that are equal to the float32 values.
        assert np.float32([column.min, column.max]).tolist() == [min(values), max(values)]
        assert column.required
        assert column.words is None
    assert (columns["sepal_length"].min, columns["sepal_length"].max) == (4.3, 7.9)


def test_first_run_writes_only_to_state_folder(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    assert {path.name for path in workspace.root.iterdir()} == {
        "logs",
        "metadata.sqlite",
        "mlflow-artifacts",
        "mlflow.db",
        "mlflow.db.lock",
        "pipeline_root",
        "run.lock",
        "serving",
    }


def test_first_run_is_one_mlflow_run(workspace: Workspace, first_run: dict[str, Any]) -> None:
    run = workspace.mlflow().get_run(first_run["mlflow_run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.tags["tfx.pipeline_run_id"] == first_run["pipeline_run_id"]
    assert run.data.params["model.hidden_units"] == "[10, 10]"
    assert run.data.params["model.learning_rate"] == "0.1"
    assert run.data.params["features.petal_width"] == "numeric"
    config = workspace.mlflow().download_artifacts(run.info.run_id, "pipeline_config.yaml")
    assert "hidden_units" in Path(config).read_text(encoding="utf-8")


def test_first_run_has_metrics_of_all_kinds(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    client, run_id = workspace.mlflow(), first_run["mlflow_run_id"]
    metrics = client.get_run(run_id).data.metrics
    assert {name: metrics[name] for name in first_run["metrics"]} == first_run["metrics"]
    assert (metrics["rows/train"], metrics["rows/eval"]) == (93, 57)
    assert metrics["slice/species:virginica/example_count"] == 21
    assert {f"seconds/{node}" for node in NODES} <= metrics.keys()
    for name in ("train/loss", "train/accuracy", "train/global_step/sec"):
        assert len(client.get_metric_history(run_id, name)) >= 19
    steps = [point.step for point in client.get_metric_history(run_id, "eval/accuracy")]
    assert steps == [50, 100, 150, 200]


def test_first_run_has_tags_of_data_and_code(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    tags = workspace.mlflow().get_run(first_run["mlflow_run_id"]).data.tags
    assert tags["blessed"] == "true"
    assert tags["pushed_version"] == first_run["pushed_version"]
    assert tags["pushed_path"] == first_run["pushed_path"]
    assert tags["cached_nodes"] == "none"
    assert len(tags["data.fingerprint"]) == 64
    if (PROJECT_DIR / ".git").exists():
        assert len(tags["git.commit"]) == 40
        assert tags["git.dirty"] in ("true", "false")


def test_unchanged_run_runs_no_node(workspace: Workspace, first_run: dict[str, Any]) -> None:
    before = workspace.versions()
    report = workspace.run()
    assert ran(report) == set()
    assert report["metrics"] == first_run["metrics"]
    assert report["pushed_version"] == first_run["pushed_version"] == before[-1]
    assert workspace.versions() == before
    run = workspace.newest_run()
    assert run.info.run_id == report["mlflow_run_id"] != first_run["mlflow_run_id"]
    assert run.data.tags["cached.Trainer"] == first_run["pipeline_run_id"]
    assert run.data.metrics["accuracy"] == first_run["metrics"]["accuracy"]


def test_changed_learning_rate_runs_from_trainer(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    before = workspace.versions()
    done = workspace.call("run", "--set", "model.learning_rate=0.2")
    assert (done.returncode, done.stderr) == (0, "")
    for node in NODES:
        assert f"{node}: {'done' if node in FROM_TRAINER else 'cached'} in" in done.stdout
    for words in (
        "accuracy",
        "min 0.9 holds",
        "blessed: every threshold holds",
        f"at {workspace.root}/serving/iris/",
        "MLflow run: ",
        f"log: {workspace.root}/logs/iris-",
    ):
        assert words in done.stdout
    assert "tensorflow" not in done.stdout
    *earlier, newest = workspace.versions()
    assert earlier == before
    assert workspace.newest_run().data.tags["pushed_version"] == newest


@pytest.mark.slow
def test_settings_changed_back_serve_first_model(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    other = workspace.run("--set", "model.learning_rate=0.3")
    back = workspace.run()
    assert "Trainer" not in ran(back)
    assert int(back["pushed_version"]) > int(other["pushed_version"])
    assert back["metrics"] == first_run["metrics"]
    assert ran(workspace.run()) == set()


@pytest.mark.slow
def test_edited_preprocessing_runs_from_transform(
    workspace: Workspace, first_run: dict[str, Any], tmp_path: Path
) -> None:
    copy = tmp_path / "project"
    shutil.copytree(
        PROJECT_DIR, copy, ignore=shutil.ignore_patterns(".*", "artifacts", "tests", "__pycache__")
    )
    shutil.copytree(PROJECT_DIR / "data", copy / "data", dirs_exist_ok=True)
    elsewhere = Workspace(workspace.root, copy)
    data = ("--set", f"data.path={PROJECT_DIR / 'data' / 'iris' / 'iris.csv'}")
    assert "Transform" not in ran(elsewhere.run(*data))
    preprocessing = copy / "trainer" / "preprocessing.py"
    preprocessing.write_text(preprocessing.read_text(encoding="utf-8") + "\n# edited\n", "utf-8")
    assert ran(elsewhere.run(*data)) == {"Transform", *FROM_TRAINER}


@pytest.mark.slow
def test_edited_csv_of_same_size_and_time_runs(tmp_path: Path) -> None:
    csv = tmp_path / "iris.csv"
    shutil.copy(PROJECT_DIR / "data" / "iris" / "iris.csv", csv)
    workspace = Workspace(tmp_path / "artifacts")
    arguments = ("--set", f"data.path={csv}", "--set", "train.steps=20")
    arguments += ("--set", "evaluation.thresholds={accuracy: {min: 0.1}}")
    workspace.run(*arguments)
    times = (csv.stat().st_atime_ns, csv.stat().st_mtime_ns)
    text = csv.read_text(encoding="utf-8")
    csv.write_text(text.replace("5.1,3.5,1.4,0.2", "5.2,3.5,1.4,0.2", 1), "utf-8")
    os.utime(csv, ns=times)
    report = workspace.run(*arguments)
    assert "CsvExampleGen" in ran(report)


@pytest.mark.slow
def test_touched_csv_stays_cached(
    workspace: Workspace, first_run: dict[str, Any], tmp_path: Path
) -> None:
    csv = PROJECT_DIR / "data" / "iris" / "iris.csv"
    before = csv.stat()
    os.utime(csv)
    try:
        assert "CsvExampleGen" not in ran(workspace.run())
    finally:
        os.utime(csv, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_model_below_threshold_is_not_pushed(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    before = workspace.versions()
    done = workspace.call(
        "run", "--require-blessed", "--set", "evaluation.thresholds.accuracy.min=0.999"
    )
    assert done.returncode == 3
    assert "not blessed: accuracy 0.9649 is below min 0.999" in done.stdout
    assert "not pushed: the model that was served before stays" in done.stdout
    assert workspace.versions() == before
    tags = workspace.newest_run().data.tags
    assert tags["blessed"] == "false"
    assert tags["pushed_version"] == "none"


@pytest.mark.slow
def test_deleted_serving_folder_is_filled_again(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    shutil.rmtree(workspace.root / "serving")
    report = workspace.run()
    assert ran(report) == {"Pusher"}
    assert workspace.versions() == [report["pushed_version"]]


@pytest.mark.slow
def test_same_seed_gives_same_metrics(first_run: dict[str, Any], tmp_path: Path) -> None:
    assert Workspace(tmp_path / "artifacts").run()["metrics"] == first_run["metrics"]


def test_failing_node_ends_in_one_error(workspace: Workspace, first_run: dict[str, Any]) -> None:
    done = workspace.call("run", "--set", "model.learning_rate=1.0e+30")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Trainer failed: NanLossDuringTrainingError" in done.stderr
    log_path = Path(done.stderr.split("log: ")[1].strip().rstrip(")"))
    assert "Traceback" in log_path.read_text(encoding="utf-8")
    run = workspace.newest_run()
    assert run.info.status == "FAILED"
    assert run.data.tags["failed_node"] == "Trainer"
    assert "NanLoss" in run.data.tags["error"]


@pytest.mark.slow
def test_verbose_shows_the_chatter_too(workspace: Workspace, first_run: dict[str, Any]) -> None:
    done = workspace.call("run", "--verbose")
    assert "MetadataStore" in done.stderr
    assert "Pusher: " in done.stdout


def test_unreachable_mlflow_does_not_slow_run(
    workspace: Workspace, first_run: dict[str, Any]
) -> None:
    done = workspace.call("run", env={"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"})
    assert done.returncode == 0
    assert "not tracked in MLflow: " in done.stdout


@pytest.mark.slow
def test_integer_labels_work_as_words_do(tmp_path: Path) -> None:
    csv = tmp_path / "iris.csv"
    text = (PROJECT_DIR / "data" / "iris" / "iris.csv").read_text(encoding="utf-8")
    for number, word in (("10", "setosa"), ("2", "versicolor"), ("-1", "virginica")):
        text = text.replace(word, number)
    csv.write_text(text, encoding="utf-8")
    workspace = Workspace(tmp_path / "artifacts")
    report = workspace.run("--set", f"data.path={csv}")
    assert report["blessed"] is True
    assert {"precision/-1", "precision/2", "precision/10"} <= report["metrics"].keys()
    model = tf.saved_model.load(report["pushed_path"])
    classes = model.signatures["serving_default"](
        sepal_length=tf.constant([5.1]),
        sepal_width=tf.constant([3.3]),
        petal_length=tf.constant([1.7]),
        petal_width=tf.constant([0.5]),
    )
    assert classes["classes"].numpy().item() == b"10"
    assert classes["class_ids"].numpy().item() == 2


@pytest.mark.slow
def test_configured_schema_replaces_inferred_one(
    workspace: Workspace, first_run: dict[str, Any], tmp_path: Path
) -> None:
    (inferred,) = (workspace.root / "pipeline_root" / "iris" / "SchemaGen" / "schema").glob(
        "*/schema.pbtxt"
    )
    reviewed = tmp_path / "schema.pbtxt"
    shutil.copy(inferred, reviewed)
    report = workspace.run("--set", f"data.schema={reviewed}", "--set", "train.steps=150")
    assert "ImportSchemaGen" in ran(report)
    assert {"SchemaGen", "Trainer"} & ran(report) == {"Trainer"}


def test_mlmd_has_executions_of_first_run(workspace: Workspace, first_run: dict[str, Any]) -> None:
    with sqlite3.connect(workspace.root / "metadata.sqlite") as database:
        query = """
            SELECT COUNT(*) FROM Association
            JOIN Context ON Context.id = Association.context_id WHERE Context.name = ?
        """
        (count,) = database.execute(query, [first_run["pipeline_run_id"]]).fetchone()
    assert count == len(NODES)
    assert json.dumps(first_run)
