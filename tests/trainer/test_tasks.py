"""Trainings and exports of each task and kind of model, on transformed examples."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.model_graphs import WARNINGS
from tests.helpers.task_data import FEATURES, make_columns, task_args, write_task_data
from trainer.features.target_scaling import read_target
from trainer.run import run_fn
from trainer.training.hooks import NanLossDuringTrainingError
from trainer.user_functions import UserFunctionError

pytestmark = WARNINGS

COLUMNS = make_columns(50, seed=3)
CLASS_OUTPUTS = {
    "class_ids": {"dtype": "int64", "shape": [-1, 1]},
    "classes": {"dtype": "string", "shape": [-1, 1]},
    "logits": {"dtype": "float32", "shape": [-1, 1]},
    "probabilities": {"dtype": "float32", "shape": [-1, 2]},
}


@pytest.fixture(scope="module")
def data_dirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {task: tmp_path_factory.mktemp(task) for task in ("binary", "regression")}
    for task, folder in folders.items():
        write_task_data(task, folder)
    return folders


def train(data_dirs: dict[str, Path], folder: Path, task: str, **model: Any) -> FnArgs:
    args = task_args(data_dirs[task], folder, task, **{"learning_rate": 0.5, **model})
    run_fn(args)
    return args


def serve(args: FnArgs, signature: str = "serving_default") -> dict[str, np.ndarray[Any, Any]]:
    """Runs a signature of the exported model on the rows of COLUMNS."""
    model = tf.saved_model.load(args.serving_model_dir)
    function = model.signatures[signature]
    (_, inputs) = function.structured_input_signature
    if set(inputs) == set(FEATURES):
        found = function(**{name: tf.constant(COLUMNS[name][:, 0]) for name in FEATURES})
    else:
        (name,) = inputs
        found = function(**{name: tf.constant(_serialized())})
    return {name: tensor.numpy() for name, tensor in found.items()}


def _serialized() -> list[bytes]:
    def feature(name: str, index: int) -> tf.train.Feature:
        return tf.train.Feature(float_list=tf.train.FloatList(value=COLUMNS[name][index]))

    return [
        tf.train.Example(
            features=tf.train.Features(feature={name: feature(name, index) for name in FEATURES})
        ).SerializeToString()
        for index in range(50)
    ]


def described(args: FnArgs) -> Any:
    path = Path(args.serving_model_dir, "assets.extra", "signature.json")
    return json.loads(path.read_text("utf-8"))["outputs"]


def signatures(args: FnArgs) -> set[str]:
    return set(tf.saved_model.load(args.serving_model_dir).signatures)


@pytest.mark.parametrize(
    "kind",
    [
        "dnn",
        pytest.param("LinearRegressor", marks=pytest.mark.slow),
        pytest.param("DNNLinearCombinedRegressor", marks=pytest.mark.slow),
    ],
)
def test_run_fn_exports_regression(data_dirs: dict[str, Path], tmp_path: Path, kind: str) -> None:
    args = train(data_dirs, tmp_path, "regression", type=kind)

    outputs = {name: serve(args, name) for name in ("serving_default", "examples", "regress")}

    assert signatures(args) == {"serving_default", "examples", "regress"}
    assert described(args) == {"predictions": {"dtype": "float32", "shape": [-1, 1]}}
    assert not Path(args.serving_model_dir, "assets.extra", "classes").exists()
    predictions = outputs["serving_default"]["predictions"]
    # Prices are about 300,000 with a deviation of 90,000; few steps suffice only with z-scores.
    assert np.sqrt(np.mean((predictions - COLUMNS["price"]) ** 2)) < 25_000
    np.testing.assert_allclose(outputs["examples"]["predictions"], predictions, rtol=1e-6)
    np.testing.assert_allclose(outputs["regress"]["outputs"], predictions, rtol=1e-6)


@pytest.mark.parametrize(
    "kind", [pytest.param("wide_deep", marks=pytest.mark.slow), "DNNClassifier"]
)
def test_run_fn_exports_binary_classification(
    data_dirs: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    args = train(data_dirs, tmp_path, "binary", type=kind)

    outputs = {name: serve(args, name) for name in ("serving_default", "examples", "classify")}

    assert signatures(args) == {"serving_default", "examples", "classify"}
    assert described(args) == CLASS_OUTPUTS
    found = outputs["serving_default"]
    assert np.mean(found["classes"] == COLUMNS["word"]) > 0.9
    np.testing.assert_array_equal(outputs["examples"]["classes"], found["classes"])
    np.testing.assert_allclose(outputs["classify"]["scores"], found["probabilities"], atol=1e-6)
    assert outputs["classify"]["classes"].tolist() == [[b"cheap", b"dear"]] * 50


def test_run_fn_exports_user_signatures(data_dirs: dict[str, Path], tmp_path: Path) -> None:
    args = train(data_dirs, tmp_path, "binary", model_fn="tests.helpers.user_models.production")

    found = {name: serve(args, name) for name in signatures(args)}

    assert set(found) == {
        "serving_default",
        "examples",
        "classify",
        "codes",
        "examples:codes",
        "ranks",
    }
    # Its own outputs: two logits, and those of its default signature.
    added = {"code": {"dtype": "float32", "shape": [-1, 2]}}
    added |= dict.fromkeys(("logits", "score"), added["code"])
    assert described(args) == {**CLASS_OUTPUTS, **added}
    predictions = found["serving_default"]
    assert np.mean(predictions["classes"] == COLUMNS["word"]) > 0.9
    np.testing.assert_allclose(found["codes"]["code"], np.tanh(predictions["logits"]), atol=1e-6)
    np.testing.assert_allclose(found["examples:codes"]["code"], found["codes"]["code"], atol=1e-6)
    np.testing.assert_allclose(found["ranks"]["scores"], predictions["probabilities"], atol=1e-6)


def test_run_fn_passes_params_to_user_model_fn(data_dirs: dict[str, Path], tmp_path: Path) -> None:
    args = train(
        data_dirs,
        tmp_path,
        "binary",
        model_fn="tests.helpers.user_models.instance",
        params={"depth": 3},
    )

    assert "serving_default" in signatures(args)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("guidd", "tests.helpers.user_models has no 'guidd'; did you mean 'guide'?"),
        ("returns_loss", "returned a SymbolicTensor"),
        ("only_class_ids", "lack 'probabilities' or 'logits'"),
    ],
)
def test_run_fn_exports_no_faulty_user_model(
    data_dirs: dict[str, Path], tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(UserFunctionError, match=message.replace("?", r"\?")):
        train(data_dirs, tmp_path, "binary", model_fn=f"tests.helpers.user_models.{name}")

    assert not (tmp_path / "model").exists()


def test_run_fn_exports_nothing_after_nan_loss(data_dirs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(NanLossDuringTrainingError, match="NaN loss at step"):
        train(data_dirs, tmp_path, "regression", optimizer="sgd", learning_rate=1e30)

    assert not (tmp_path / "model").exists()


def test_read_target_is_that_of_train_split(data_dirs: dict[str, Path]) -> None:
    transform_output = tft.TFTransformOutput(str(data_dirs["regression"] / "graph"))

    prices = make_columns(120, seed=1)["price"]
    assert read_target(transform_output) == pytest.approx((prices.mean(), prices.std()), rel=1e-5)


def test_read_target_defaults_to_identity(data_dirs: dict[str, Path]) -> None:
    transform_output = tft.TFTransformOutput(str(data_dirs["binary"] / "graph"))

    assert read_target(transform_output) == (0, 1)
