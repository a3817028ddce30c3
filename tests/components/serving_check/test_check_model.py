"""A served model, compared with the expected predictions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.serving_check.executor import check_model
from components.serving_check.predictions import differences

ROWS = [1.0, 2.0, 4.0, None]
"""Cells of the numeric column; None is a missing value."""


def make_example(x: float | None, word: str) -> bytes:
    feature = {"word": tf.train.Feature(bytes_list=tf.train.BytesList(value=[word.encode()]))}
    if x is not None:
        feature["x"] = tf.train.Feature(float_list=tf.train.FloatList(value=[x]))
    return bytes(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


EXAMPLES = [make_example(x, "ab") for x in ROWS]


def double(x: tf.Tensor) -> tf.Tensor:
    """The model: twice the number; a missing value counts as 1."""
    return 2 * tf.where(tf.math.is_nan(x), tf.ones_like(x), x)


EXPECTED = {"predictions": np.array([[2.0], [4.0], [8.0], [2.0]], np.float32)}


class Model(tf.Module):
    """A model with signatures of raw columns and of examples, each with its function."""

    def __init__(
        self, on_columns: Callable[[tf.Tensor], tf.Tensor], on_examples: Any = double
    ) -> None:
        super().__init__()
        self._on_columns, self._on_examples = on_columns, on_examples

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.string)]
    )
    def columns(self, x: tf.Tensor, word: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"predictions": self._on_columns(x)[:, tf.newaxis], "words": word}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        spec = {"x": tf.io.FixedLenFeature([], tf.float32, float("nan"))}
        return {"outputs": self._on_examples(tf.io.parse_example(examples, spec)["x"])}


def save(tmp_path: Path, model: Model) -> str:
    path = str(tmp_path / "model")
    signatures = {"serving_default": model.columns, "regress": model.examples}
    tf.saved_model.save(model, path, signatures=signatures)
    return path


def check(tmp_path: Path, model: Model, **limits: float) -> dict[str, Any]:
    limits = {"tolerance": 1e-6, **limits}
    return check_model(save(tmp_path, model), EXAMPLES, EXPECTED, **limits)


def test_check_model_passes_a_correct_model(tmp_path: Path) -> None:
    report = check(tmp_path, Model(double))

    assert report["faults"] == []
    assert (report["rows"], report["greatest_difference"]) == (4, 0)
    assert report["milliseconds"] > 0


@pytest.mark.parametrize(
    ("model", "faults"),
    [
        (
            Model(lambda x: double(x) + tf.where(x == 4, 0.4, 0.0)),
            [
                "serving_default: predictions differs from Estimator.predict for 1 of 4 rows, by"
                " up to 0.05",
                "serving_default, row by row: predictions differs from Estimator.predict for 1 of"
                " 4 rows, by up to 0.05",
            ],
        ),
        (
            Model(double, lambda x: double(x) + 1),
            [
                "regress: outputs differs from Estimator.predict for 4 of 4 rows, by up to 0.5",
            ],
        ),
        (
            Model(lambda x: double(x) + tf.cast(tf.size(x), tf.float32) - 4),
            [
                "serving_default, row by row: predictions differs from Estimator.predict for 4 of"
                " 4 rows, by up to 1.5",
            ],
        ),
    ],
)
def test_check_model_names_the_wrong_signature(
    tmp_path: Path, model: Model, faults: list[str]
) -> None:
    assert check(tmp_path, model)["faults"] == faults


def test_check_model_allows_the_tolerance(tmp_path: Path) -> None:
    model = Model(lambda x: double(x) * 1.01)

    assert check(tmp_path, model, tolerance=0.02)["faults"] == []
    assert check(tmp_path / "other", model, tolerance=0.001)["faults"] != []


def test_differences_are_relative_to_the_example() -> None:
    due = {"logits": np.array([[0.5, 40.0], [0.5, 2.0]])}
    predictions = {"logits": np.array([[0.9, 40.0], [0.5, 2.4]])}

    ((fault, greatest),) = differences(predictions, due, "examples", tolerance=0.1)

    # 0.4 of 40, and 0.4 of 2.
    assert greatest == pytest.approx(0.2)
    assert fault == "examples: logits differs from Estimator.predict for 1 of 2 rows, by up to 0.2"


def test_check_model_refuses_nan(tmp_path: Path) -> None:
    report = check(tmp_path, Model(double, lambda x: 2 * x))

    assert report["faults"][0] == "regress: outputs is NaN or infinite for 1 of 4 rows"


def test_check_model_reports_a_broken_model(tmp_path: Path) -> None:
    path = Path(save(tmp_path, Model(double)))
    (path / "saved_model.pb").write_bytes(b"no model")

    (fault,) = check_model(str(path), EXAMPLES, EXPECTED, 1e-6)["faults"]

    assert fault.startswith("the model cannot be run: ")


def test_check_model_holds_a_limit_of_time(tmp_path: Path) -> None:
    (fault,) = check(tmp_path, Model(double), max_milliseconds=1e-6)["faults"]

    assert "more than push.max_milliseconds, 1e-06" in fault
    assert check(tmp_path / "other", Model(double), max_milliseconds=1e6)["faults"] == []
