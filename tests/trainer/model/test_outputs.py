"""Outputs derived from predictions, and the errors if they cannot be derived."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.outputs import OutputError, complete_predictions, make_export_outputs

MULTICLASS = {"task": "multiclass", "n_classes": 3, "classes": ["ant", "bee", "cow"]}
BINARY = {"task": "binary", "n_classes": 2, "classes": ["no", "yes"]}
REGRESSION = {"task": "regression", "n_classes": 1, "classes": []}
LOGITS = np.array([[0, np.log(3), 0], [np.log(8), 0, 0]], np.float32)
PROBABILITIES = np.array([[0.2, 0.6, 0.2], [0.8, 0.1, 0.1]], np.float32)


def complete(predictions: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    tensors = {name: tf.constant(value) for name, value in predictions.items()}
    return {name: tensor.numpy() for name, tensor in complete_predictions(tensors, params).items()}


@pytest.mark.parametrize(
    "given",
    [
        {"logits": LOGITS},
        {"probabilities": PROBABILITIES},
        {"logits": LOGITS, "probabilities": PROBABILITIES, "class_ids": [1, 0]},
        {"logits": LOGITS.astype(np.float64), "classes": np.array([1, 0], np.int32)},
        {"probabilities": PROBABILITIES, "class_ids": [[1], [0]], "classes": ["bee", "ant"]},
    ],
)
def test_complete_predictions_multiclass(given: dict[str, Any]) -> None:
    found = complete(given, MULTICLASS)

    np.testing.assert_allclose(found["probabilities"], PROBABILITIES, rtol=1e-5)
    np.testing.assert_array_equal(found["class_ids"], [[1], [0]])
    assert found["classes"].tolist() == [[b"bee"], [b"ant"]]
    differences = found["logits"] - LOGITS  # only differences of logits are defined
    np.testing.assert_allclose(differences, np.tile(differences[:, :1], 3), atol=1e-5)
    assert {name: value.dtype.name for name, value in found.items()} == {
        "probabilities": "float32",
        "logits": "float32",
        "class_ids": "int64",
        "classes": "object",
    }


@pytest.mark.parametrize(
    "given",
    [
        {"logits": [[0.0], [np.log(4)]]},
        {"logits": [0.0, np.log(4)]},
        {"logits": [[0.0, 0.0], [0.0, np.log(4)]]},
        {"probabilities": [0.5, 0.8]},
        {"probabilities": [[0.5], [0.8]]},
        {"probabilities": [[0.5, 0.5], [0.2, 0.8]]},
    ],
)
def test_complete_predictions_binary(given: dict[str, Any]) -> None:
    found = complete(given, BINARY)

    np.testing.assert_allclose(found["probabilities"], [[0.5, 0.5], [0.2, 0.8]], rtol=1e-5)
    assert found["class_ids"][1] == 1
    assert found["classes"][1] == b"yes"


def test_complete_predictions_small_probabilities() -> None:
    found = complete({"logits": [[30.0], [-30.0]]}, BINARY)

    np.testing.assert_allclose(
        np.diag(found["probabilities"]), [np.exp(-30), np.exp(-30)], rtol=1e-4
    )


def test_complete_predictions_logits_stay_finite() -> None:
    found = complete({"probabilities": [[0.0, 1.0, 0.0]]}, MULTICLASS)

    np.testing.assert_allclose(found["logits"], [[np.log(1e-30), 0, np.log(1e-30)]], rtol=1e-5)


@pytest.mark.parametrize(
    "given",
    [
        {"predictions": [1.5, 2.5]},
        {"predictions": [[1.5], [2.5]]},
        {"price": np.array([1.5, 2.5], np.float64)},
        {"price": [1.5, 2.5], "id": [1, 2]},
    ],
)
def test_complete_predictions_regression(given: dict[str, Any]) -> None:
    found = complete(given, REGRESSION)["predictions"]

    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[1.5], [2.5]])


def test_complete_predictions_keeps_others() -> None:
    found = complete({"logits": LOGITS, "age": [3, 4], "code": np.ones((2, 5))}, MULTICLASS)

    np.testing.assert_array_equal(found["age"], [[3], [4]])
    np.testing.assert_array_equal(found["code"], np.ones((2, 5)))


@pytest.mark.parametrize(
    ("given", "params", "message"),
    [
        (
            {"class_ids": [1]},
            MULTICLASS,
            r"lack 'probabilities' or 'logits', float of shape \[batch_size, 3\] \(found:"
            r" 'class_ids'\)",
        ),
        ({}, MULTICLASS, r"\(found: none\)"),
        (
            {"logits": np.ones((2, 5))},
            MULTICLASS,
            r"'logits' has shape \(2, 5\), not \[batch_size, 3\]",
        ),
        (
            {"probabilities": np.ones((2, 3))},
            BINARY,
            r"'probabilities' has shape \(2, 3\), not \[batch_size, 1\] or \[batch_size, 2\]",
        ),
        ({"low": [1.0], "high": [2.0]}, REGRESSION, r"lack 'predictions'.*found: 'low', 'high'"),
        ({"predictions": np.ones((2, 2))}, REGRESSION, r"shape \(2, 2\), not \[batch_size, 1\]"),
    ],
)
def test_complete_predictions_names_missing_output(
    given: dict[str, Any], params: dict[str, Any], message: str
) -> None:
    with pytest.raises(OutputError, match=message):
        complete(given, params)


def test_complete_predictions_unknown_shape() -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        logits = tf.compat.v1.placeholder(tf.float32, None)
        class_ids = tf.compat.v1.placeholder(tf.int64, None)
        given = {"logits": logits, "class_ids": class_ids}
        found = session.run(
            complete_predictions(given, MULTICLASS), {logits: LOGITS, class_ids: [1, 0]}
        )

    np.testing.assert_allclose(found["probabilities"], PROBABILITIES, rtol=1e-5)
    np.testing.assert_array_equal(found["class_ids"], [[1], [0]])


def test_make_export_outputs_classification() -> None:
    predictions = complete_predictions({"logits": tf.constant(LOGITS)}, MULTICLASS)

    outputs = make_export_outputs(predictions, MULTICLASS)

    assert set(outputs) == {"serving_default", "classify"}
    np.testing.assert_allclose(outputs["classify"].scores, PROBABILITIES, rtol=1e-5)
    assert outputs["classify"].classes.numpy().tolist() == [[b"ant", b"bee", b"cow"]] * 2
    assert set(outputs["serving_default"].outputs) == set(predictions)


def test_make_export_outputs_regression() -> None:
    predictions = complete_predictions({"predictions": tf.constant([1.5, 2.5])}, REGRESSION)

    outputs = make_export_outputs(predictions, REGRESSION)

    assert set(outputs) == {"serving_default", "regress"}
    np.testing.assert_array_equal(outputs["regress"].value, [[1.5], [2.5]])
