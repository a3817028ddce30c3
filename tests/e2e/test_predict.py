"""`pipeline predict` with the model that the shipped pipeline pushed."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.e2e_workspace import Workspace
from tests.helpers.paths import PROJECT_DIR

pytestmark = pytest.mark.e2e

MEASURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def test_predict_agrees_with_pushed_model(
    workspace: Workspace, first_run: dict[str, Any], tmp_path: Path
) -> None:
    source, target = PROJECT_DIR / "data/iris/iris.csv", tmp_path / "predictions.csv"
    version = first_run["pushed_version"]

    done = workspace.call(
        "predict", "--input", str(source), "--output", str(target), "--version", version
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"predicted 150 rows with version {version}, 0 quarantined\n"
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    answer = tf.saved_model.load(first_run["pushed_path"]).signatures["serving_default"](
        **{name: tf.constant([float(row[name]) for row in rows]) for name in MEASURES}
    )
    assert [row["predicted"].encode() for row in rows] == answer["classes"].numpy().ravel().tolist()
    names = [f"probability_{name}" for name in ("setosa", "versicolor", "virginica")]
    assert list(rows[0]) == [*MEASURES, "species", "predicted", *names]
    written = np.float32([[row[name] for name in names] for row in rows])
    np.testing.assert_allclose(written, answer["probabilities"].numpy(), rtol=0, atol=1e-6)
    assert np.mean([row["predicted"] == row["species"] for row in rows]) > 0.9
