"""The exported model: its signatures, files and predictions."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow.core.protobuf import saved_model_pb2
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.model_graphs import WARNINGS
from tests.helpers.training_data import CLASSES, FEATURES, LABEL, SETTINGS, Row, make_rows
from trainer.features.columns import make_feature_columns
from trainer.model.model_fn import model_fn
from trainer.settings.train import TrainerSettings

pytestmark = WARNINGS

OUTPUTS = {"class_ids", "classes", "probabilities", "logits"}
ROWS = make_rows(20, seed=3)


@pytest.fixture(scope="module")
def model(trained: FnArgs) -> Any:
    return tf.saved_model.load(trained.serving_model_dir)


def serialize(rows: list[Row]) -> tf.Tensor:
    """Serializes the raw columns, without the label."""
    examples = []
    for row in rows:
        features = {
            name: tf.train.Feature(float_list=tf.train.FloatList(value=row[name]))
            for name in FEATURES
        }
        examples.append(
            tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
        )
    return tf.constant(examples)


def columns_of(rows: list[Row]) -> dict[str, tf.Tensor]:
    return {name: tf.constant([row[name][0] for row in rows], tf.float32) for name in FEATURES}


def signature_defs(saved_model_dir: str) -> Mapping[str, Any]:
    content = Path(saved_model_dir, "saved_model.pb").read_bytes()
    (meta_graph,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    return dict(meta_graph.signature_def)


def test_raw_columns_are_only_stacked(trained: FnArgs) -> None:
    """The server then feeds them as one matrix."""
    content = Path(trained.serving_model_dir, "saved_model.pb").read_bytes()
    (meta_graph,) = saved_model_pb2.SavedModel.FromString(content).meta_graphs
    inputs = {each.name for each in meta_graph.signature_def["serving_default"].inputs.values()}
    ops = {name.removesuffix(":0") for name in inputs}
    users = [node for node in meta_graph.graph_def.node if ops & set(node.input)]

    assert [node.op for node in users] == ["Pack"]
    assert users[0].attr["axis"].i == 1
    assert set(users[0].input) == ops


@pytest.fixture(scope="module")
def estimator_predictions(trained: FnArgs) -> dict[str, np.ndarray[Any, Any]]:
    """Predictions of the Estimator for ROWS from its last checkpoint."""
    settings = TrainerSettings.model_validate(SETTINGS)
    transform_output = tft.TFTransformOutput(trained.transform_output)
    estimator = tf.estimator.Estimator(
        model_fn,
        trained.model_run_dir,
        params={
            "feature_columns": make_feature_columns(settings, transform_output).deep,
            "hidden_units": settings.model.hidden_units,
            "n_classes": 3,
            "classes": CLASSES,
        },
    )

    def input_fn() -> tf.data.Dataset:
        raw = {name: column[:, tf.newaxis] for name, column in columns_of(ROWS).items()}
        return tf.data.Dataset.from_tensors(transform_output.transform_raw_features(raw))

    predictions = list(estimator.predict(input_fn))
    return {key: np.stack([row[key] for row in predictions]) for key in OUTPUTS}


@pytest.mark.parametrize(
    ("name", "method", "inputs", "outputs"),
    [
        ("serving_default", "tensorflow/serving/predict", set(FEATURES), OUTPUTS),
        ("examples", "tensorflow/serving/predict", {"examples"}, OUTPUTS),
        ("classify", "tensorflow/serving/classify", {"inputs"}, {"classes", "scores"}),
    ],
)
def test_export_signatures(
    trained: FnArgs, name: str, method: str, inputs: set[str], outputs: set[str]
) -> None:
    signature = signature_defs(trained.serving_model_dir)[name]

    assert signature.method_name == method
    assert (set(signature.inputs), set(signature.outputs)) == (inputs, outputs)


def test_export_has_no_other_signatures(trained: FnArgs) -> None:
    assert set(signature_defs(trained.serving_model_dir)) == {
        "serving_default",
        "examples",
        "classify",
    }


def test_export_inputs_are_raw_columns(trained: FnArgs) -> None:
    inputs = signature_defs(trained.serving_model_dir)["serving_default"].inputs

    for name in FEATURES:
        assert tf.TensorShape(inputs[name].tensor_shape).as_list() == [None]
        assert inputs[name].dtype == tf.float32.as_datatype_enum


def test_export_predicts_columns_like_estimator(
    model: Any, estimator_predictions: Mapping[str, np.ndarray[Any, Any]]
) -> None:
    predictions = model.signatures["serving_default"](**columns_of(ROWS))

    assert_same_predictions(predictions, estimator_predictions)


def test_export_predicts_examples_like_estimator(
    model: Any, estimator_predictions: Mapping[str, np.ndarray[Any, Any]]
) -> None:
    predictions = model.signatures["examples"](examples=serialize(ROWS))

    assert_same_predictions(predictions, estimator_predictions)


def assert_same_predictions(
    found: Mapping[str, tf.Tensor], expected: Mapping[str, np.ndarray[Any, Any]]
) -> None:
    assert set(found) == OUTPUTS
    for key in ("class_ids", "classes"):
        np.testing.assert_array_equal(found[key].numpy(), expected[key])
    for key in ("probabilities", "logits"):
        np.testing.assert_allclose(found[key].numpy(), expected[key], atol=1e-6)


def test_export_classifies_like_estimator(
    model: Any, estimator_predictions: Mapping[str, np.ndarray[Any, Any]]
) -> None:
    result = model.signatures["classify"](inputs=serialize(ROWS))

    assert result["classes"].numpy().tolist() == [[b"ant", b"bee", b"cow"]] * len(ROWS)
    np.testing.assert_allclose(
        result["scores"].numpy(), estimator_predictions["probabilities"], atol=1e-6
    )


def test_export_has_learned(model: Any) -> None:
    predictions = model.signatures["serving_default"](**columns_of(ROWS))

    hits = [
        predicted == row[LABEL]
        for predicted, row in zip(predictions["classes"].numpy().tolist(), ROWS, strict=True)
    ]
    assert np.mean(hits) > 0.9


def test_export_predicts_single_row(model: Any) -> None:
    one = model.signatures["serving_default"](**columns_of(ROWS[:1]))
    all_ = model.signatures["serving_default"](**columns_of(ROWS))

    np.testing.assert_allclose(one["probabilities"], all_["probabilities"][:1], atol=1e-6)


def test_export_lists_classes(trained: FnArgs) -> None:
    path = Path(trained.serving_model_dir, "assets.extra", "classes")

    assert path.read_text("utf-8") == "ant\nbee\ncow\n"


def test_export_describes_signature(trained: FnArgs) -> None:
    path = Path(trained.serving_model_dir, "assets.extra", "signature.json")

    assert json.loads(path.read_text("utf-8")) == {
        "inputs": {name: {"dtype": "float32", "shape": [-1]} for name in FEATURES},
        "outputs": {
            "class_ids": {"dtype": "int64", "shape": [-1, 1]},
            "classes": {"dtype": "string", "shape": [-1, 1]},
            "logits": {"dtype": "float32", "shape": [-1, 3]},
            "probabilities": {"dtype": "float32", "shape": [-1, 3]},
        },
    }


def test_export_has_no_other_files(trained: FnArgs) -> None:
    assert {path.name for path in Path(trained.serving_model_dir).iterdir()} == {
        "saved_model.pb",
        "variables",
        "assets",
        "assets.extra",
    }
