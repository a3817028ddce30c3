"""Each example from its rows to a pushed model, compared with other models on the same rows."""

import csv
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from components.serving_check.predictions import Predictions, ServedModel, differences, faults_of
from pipeline.settings.load import load_config
from tests.helpers import taxi_template
from tests.helpers.e2e_workspace import Workspace
from tests.helpers.example_rows import (
    Row,
    disturb,
    read_examples,
    read_rows,
    to_examples,
    write_csv,
)
from tests.helpers.paths import PROJECT_DIR, SHIPPED
from trainer.reference import predict
from trainer.settings.train import TrainerSettings

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    # The guide's layers, which are deprecated but part of TensorFlow 2.15.
    pytest.mark.filterwarnings("ignore:`tf.layers.dense` is deprecated:UserWarning"),
    # The same for its feature columns.
    pytest.mark.filterwarnings("ignore:`layer.add_variable` is deprecated:UserWarning"),
    # Keras draws the layers' seeds with randint(1, 1e9).
    pytest.mark.filterwarnings("ignore:non-integer arguments to randrange:DeprecationWarning"),
]

ROWS = 200
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Finished:
    """A run that has pushed a model."""

    config_path: Path
    workspace: Workspace
    report: Mapping[str, Any]

    @property
    def settings(self) -> TrainerSettings:
        return load_config(self.config_path, []).trainer_settings

    def output(self, node: str, key: str) -> Path:
        """Finds the only artifact of a node."""
        name = load_config(self.config_path, []).name
        (path,) = (self.workspace.root / "pipeline_root" / name / node / key).iterdir()
        return path


@pytest.fixture(scope="module")
def examples_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the examples without their data, as in a new checkout."""
    folder = tmp_path_factory.mktemp("checkout") / "examples"
    shutil.copytree(PROJECT_DIR / "examples", folder, ignore=shutil.ignore_patterns("data"))
    return folder


def run_example(examples_dir: Path, name: str) -> Finished:
    folder = examples_dir / name
    subprocess.run([sys.executable, folder / "make_data.py"], check=True)
    workspace = Workspace(examples_dir.parent / "artifacts")
    config_path = folder / "pipeline_config.yaml"
    report = workspace.run("--config", str(config_path))
    assert report["blessed"] is True
    assert Path(report["pushed_path"], "saved_model.pb").exists()
    return Finished(config_path, workspace, report)


def tell(line: str) -> None:
    """Prints a measurement, which `pytest -s` shows."""
    sys.stdout.write(f"\n{line}\n")


@pytest.fixture(scope="module")
def taxi(examples_dir: Path) -> Finished:
    return run_example(examples_dir, "taxi")


@pytest.fixture(scope="module")
def digits(examples_dir: Path) -> Finished:
    return run_example(examples_dir, "digits")


@pytest.fixture(scope="module")
def diabetes(examples_dir: Path) -> Finished:
    return run_example(examples_dir, "diabetes")


@pytest.fixture(scope="module")
def iris(workspace: Workspace, first_run: dict[str, Any]) -> Finished:
    return Finished(SHIPPED, workspace, first_run)


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param(taxi_template.AS_IT_SHIPS, id="as it ships"),
        pytest.param(taxi_template.ALL_FEATURES, id="all features"),
    ],
)
def test_taxi_is_as_good_as_tfxs_template(
    taxi: Finished, choice: Mapping[str, Any], tmp_path: Path
) -> None:
    examples = taxi.output("CsvExampleGen", "examples")
    rows = read_rows(examples, "eval")

    theirs = taxi_template.train_template(
        examples,
        taxi.output("SchemaGen", "schema") / "schema.pbtxt",
        read_examples(examples, "eval"),
        choice,
        tmp_path,
    )

    assert taxi.report["metrics"]["example_count"] == len(rows)
    auc = roc_auc_score([row["big_tipper"] == 1 for row in rows], theirs)
    tell(f"AUC of TFX's template: {auc:.4f}, ours: {taxi.report['metrics']['auc']:.4f}")
    assert taxi.report["metrics"]["auc"] >= auc


def test_digits_are_read_by_user_model_fn(digits: Finished) -> None:
    assert digits.settings.model.model_fn == "digits_model.model_fn"
    assert digits.report["metrics"]["accuracy"] >= 0.97


def test_diabetes_is_better_than_a_straight_line(diabetes: Finished) -> None:
    columns, splits = diabetes.settings.raw_types, {}
    for split in ("train", "eval"):
        rows = read_rows(diabetes.output("CsvExampleGen", "examples"), split)
        measures = np.array([[float(row[name]) for name in columns] for row in rows])
        splits[split] = (measures, [float(row["progression"]) for row in rows])

    r2 = LinearRegression().fit(*splits["train"]).score(*splits["eval"])

    tell(f"R2 of a straight line: {r2:.4f}, ours: {diabetes.report['metrics']['r2']:.4f}")
    assert diabetes.report["metrics"]["example_count"] == len(splits["eval"][1])
    assert diabetes.report["metrics"]["r2"] > r2


def predict_in_batch(finished: Finished, rows: Sequence[Row], folder: Path) -> Predictions:
    """Returns the output of `pipeline predict`, by the names of a signature's outputs."""
    write_csv(rows, folder / "rows.csv")
    done = finished.workspace.call(
        *("predict", "--config", str(finished.config_path)),
        *("--input", str(folder / "rows.csv"), "--output", str(folder / "predicted.csv")),
        *("--version", finished.report["pushed_version"]),
    )
    assert done.returncode == 0, done.stderr
    with (folder / "predicted.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    predicted = [row["predicted"] for row in written]
    names = [name for name in written[0] if name.startswith("probability_")]
    if not names:
        return {"predictions": np.array(predicted, np.float32)}
    return {
        "classes": np.array([word.encode() for word in predicted], object),
        "probabilities": np.array([[row[name] for name in names] for row in written], np.float32),
    }


@pytest.mark.parametrize("name", ["iris", "taxi", "digits", "diabetes"])
def test_a_row_has_the_same_answer_everywhere(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    finished: Finished = request.getfixturevalue(name)
    # The folder of the user's model_fn.
    monkeypatch.setattr(sys, "path", [*sys.path, str(finished.config_path.parent)])
    rows = read_rows(finished.output("CsvExampleGen", "examples"), "eval")
    rows = disturb(rows[:ROWS], finished.settings)
    examples = to_examples(rows)

    expected = predict(
        examples,
        str(finished.output("Transform", "transform_graph")),
        str(finished.output("Trainer", "model_run")),
    )
    served = ServedModel(finished.report["pushed_path"]).predict(examples)
    answers = {**served, "pipeline predict": predict_in_batch(finished, rows, tmp_path)}

    kind = "regress" if finished.settings.task == "regression" else "classify"
    assert set(served) == {"serving_default", "examples", kind}
    for signature, values in answers.items():
        compared = list(differences(values, expected, signature, TOLERANCE))
        assert compared
        assert [fault for fault, _ in compared if fault] == []
        assert list(faults_of(values, signature)) == []
