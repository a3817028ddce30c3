"""Each example from its rows to a pushed model, held against what others reach on the same rows."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import taxi_template
from e2e_workspace import PROJECT_DIR, Workspace
from example_rows import disturb, read_examples, read_rows, to_examples
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from components.serving_check.answers import ServedModel, differences, faults_of
from pipeline.load import load_config
from trainer.config import TrainerSettings
from trainer.reference import predict

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    # The premade Estimators' and ours; the guide to custom Estimators uses it.
    pytest.mark.filterwarnings("ignore:`tf.layers.dense` is deprecated:UserWarning"),
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
        """Finds the one artifact of a node."""
        name = load_config(self.config_path, []).name
        (path,) = (self.workspace.root / "pipeline_root" / name / node / key).iterdir()
        return path


@pytest.fixture(scope="module")
def examples_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples as a fresh checkout has them, without data."""
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
    return Finished(PROJECT_DIR / "pipeline_config.yaml", workspace, first_run)


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
    labels = [row["big_tipper"] == b"1" for row in rows]
    assert taxi.report["metrics"]["auc"] >= roc_auc_score(labels, theirs)


def test_digits_are_read_by_an_own_model_fn(digits: Finished) -> None:
    assert digits.settings.model.model_fn == "digits_model.model_fn"
    assert digits.report["metrics"]["accuracy"] >= 0.97


def test_diabetes_is_better_than_a_straight_line(diabetes: Finished) -> None:
    columns, splits = diabetes.settings.raw_types, {}
    for split in ("train", "eval"):
        rows = read_rows(diabetes.output("CsvExampleGen", "examples"), split)
        measures = np.array([[float(row[name]) for name in columns] for row in rows])
        splits[split] = (measures, [float(row["progression"]) for row in rows])

    line = LinearRegression().fit(*splits["train"])

    assert diabetes.report["metrics"]["example_count"] == len(splits["eval"][1])
    assert diabetes.report["metrics"]["r2"] > line.score(*splits["eval"])


@pytest.mark.parametrize("name", ["iris", "taxi", "digits", "diabetes"])
def test_a_row_has_the_same_answer_everywhere(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished: Finished = request.getfixturevalue(name)
    # Where an own model_fn stands.
    monkeypatch.setattr(sys, "path", [*sys.path, str(finished.config_path.parent)])
    rows = read_rows(finished.output("CsvExampleGen", "examples"), "eval")
    rows = disturb(rows[:ROWS], finished.settings)
    examples = to_examples(rows)

    expected = predict(
        examples,
        str(finished.output("Transform", "transform_graph")),
        str(finished.output("Trainer", "model_run")),
    )
    answers = ServedModel(finished.report["pushed_path"]).answer(examples)

    kind = "regress" if finished.settings.task == "regression" else "classify"
    assert set(answers) == {"serving_default", "examples", kind}
    for signature, values in answers.items():
        compared = list(differences(values, expected, signature, TOLERANCE))
        assert compared
        assert [fault for fault, _ in compared if fault] == []
        assert list(faults_of(values, signature)) == []
