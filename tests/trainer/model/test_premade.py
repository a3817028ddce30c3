"""TensorFlow's premade Estimators, compared with the built-in models and in real training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.model_graphs import (
    CLASSES,
    EVAL,
    PREDICT,
    TRAIN,
    WARNINGS,
    Network,
    make_params,
)
from trainer.model.model_fn import model_fn
from trainer.model.premade import premade_model_fn
from trainer.settings.model import Premade

pytestmark = WARNINGS

TASKS_OF = {
    kind: ("regression",) if kind.endswith("Regressor") else ("multiclass", "binary")
    for kind in get_args(Premade)
}
KINDS = [(kind, task) for kind, tasks in TASKS_OF.items() for task in tasks]
LINEAR = [("LinearClassifier", "multiclass"), ("LinearRegressor", "regression")]


@pytest.fixture
def config(tmp_path: Path) -> tf.estimator.RunConfig:
    return tf.estimator.RunConfig(model_dir=str(tmp_path))


def premade(
    config: tf.estimator.RunConfig,
    mode: str,
    kind: str,
    task: str,
    *,
    weights: bool = False,
    **settings: Any,
) -> Network:
    params = make_params(task, type=kind, **settings)
    return Network(premade_model_fn, mode, params, weights=weights, config=config)


def built_in(mode: str, kind: str, task: str, *, weights: bool = False, **settings: Any) -> Network:
    return Network(model_fn, mode, make_params(task, type=kind, **settings), weights=weights)


def described(tensors: Mapping[str, tf.Tensor]) -> dict[str, tuple[str, list[int | None]]]:
    return {name: (tensor.dtype.name, tensor.shape.as_list()) for name, tensor in tensors.items()}


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_premade_serves_same_outputs(config: tf.estimator.RunConfig, kind: str, task: str) -> None:
    found = premade(config, PREDICT, kind, task).spec
    expected = built_in(PREDICT, "dnn", task).spec

    assert described(found.predictions) == described(expected.predictions)
    assert {name: type(output) for name, output in found.export_outputs.items()} == {
        name: type(output) for name, output in expected.export_outputs.items()
    }


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_premade_has_same_metrics(config: tf.estimator.RunConfig, kind: str, task: str) -> None:
    found = premade(config, EVAL, kind, task).spec
    expected = built_in(EVAL, "dnn", task).spec

    assert set(found.eval_metric_ops) == set(expected.eval_metric_ops)


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_premade_writes_same_summaries(
    config: tf.estimator.RunConfig, kind: str, task: str
) -> None:
    found = premade(config, TRAIN, kind, task, learning_rate=0.25).written()
    expected = built_in(TRAIN, "dnn", task).written()

    assert set(expected) | {"loss"} <= set(found)
    assert found["learning_rate"] == 0.25


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_premade_updates_all_weights(config: tf.estimator.RunConfig, kind: str, task: str) -> None:
    network = premade(config, TRAIN, kind, task, optimizer="adam", activation="tanh")
    before, loss = network.weights(), network.run(network.spec.loss)

    network.train(20)

    assert (
        len(before)
        == {"Linear": 4, "DNNLinearCombined": 8, "DNN": 6}[
            kind[: kind.rindex("Regressor" if task == "regression" else "Classifier")]
        ]
    )
    for weight, start in zip(network.weights(), before, strict=True):
        assert not np.allclose(weight, start)
    assert network.run(network.spec.loss) < loss
    assert network.run(network.global_step) == 20


@pytest.mark.parametrize("weights", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("kind", "task"), [*LINEAR, ("LinearClassifier", "binary")])
def test_premade_linear_trains_like_built_in(
    config: tf.estimator.RunConfig, kind: str, task: str, weights: bool
) -> None:
    # Both begin at 0; equal weights after training show that loss, example weights, penalty,
    # learning rates and gradient clipping are equal.
    settings = {
        "l2": 0.1,
        "clip_gradients": 0.3,
        "schedule": {"kind": "exponential", "steps": 5},
    }
    found = premade(config, TRAIN, kind, task, weights=weights, **settings)
    expected = built_in(TRAIN, "linear", task, weights=weights, **settings)

    for network in (found, expected):
        network.train(10)

    assert found.run(found.spec.loss) == pytest.approx(expected.run(expected.spec.loss), rel=1e-5)
    for weight, other in zip(_sorted(found), _sorted(expected), strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-4, atol=1e-6)


def _sorted(network: Network) -> list[Any]:
    names = [variable.op.name.partition("linear_model/")[2] for variable in network.variables]
    return [weight for _, weight in sorted(zip(names, network.weights(), strict=True))]


@pytest.mark.parametrize("weights", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(("kind", "task"), LINEAR)
def test_premade_linear_evaluates_like_built_in(
    config: tf.estimator.RunConfig, kind: str, task: str, weights: bool
) -> None:
    found = premade(config, EVAL, kind, task, weights=weights)
    expected = built_in(EVAL, "linear", task, weights=weights)

    assert found.run(found.spec.loss) == pytest.approx(expected.run(expected.spec.loss), rel=1e-5)
    assert found.metrics() == pytest.approx(expected.metrics(), rel=1e-5)


def test_premade_uses_layer_settings(
    config: tf.estimator.RunConfig,
) -> None:
    settings = {"hidden_units": [7, 5], "batch_norm": True, "dropout": 0.5, "activation": "tanh"}
    network = premade(config, TRAIN, "DNNClassifier", "multiclass", **settings)

    shapes = [variable.shape for variable in network.variables if "kernel" in variable.op.name]
    assert shapes == [[2, 7], [7, 5], [5, 3]]
    assert [variable for variable in network.variables if "gamma" in variable.op.name]
    operations = {operation.type for operation in network.session.graph.get_operations()}
    assert "Tanh" in operations
    assert "Relu" not in operations
    assert len({float(network.run(network.spec.loss)) for _ in range(5)}) > 1  # dropout


def test_premade_updates_moving_averages(
    config: tf.estimator.RunConfig,
) -> None:
    network = premade(config, TRAIN, "DNNClassifier", "multiclass", batch_norm=True)
    with network.session.graph.as_default():
        averages = [v for v in tf.compat.v1.global_variables() if "moving_mean" in v.op.name]
    assert averages

    network.train(1)

    for average in network.run(averages):
        assert np.any(average != 0)


def test_premade_gives_class_names(config: tf.estimator.RunConfig) -> None:
    network = premade(config, PREDICT, "DNNClassifier", "multiclass")

    predictions = network.run(network.spec.predictions)

    words = [CLASSES[class_id].encode() for class_id in predictions["class_ids"].ravel()]
    assert predictions["classes"].ravel().tolist() == words


def test_premade_predicts_in_target_unit(
    config: tf.estimator.RunConfig,
) -> None:
    # Weights of 0 predict the mean.
    network = premade(config, PREDICT, "LinearRegressor", "regression")

    predictions = network.run(network.spec.predictions)

    np.testing.assert_allclose(predictions["predictions"], np.full((6, 1), 230), rtol=1e-6)


def test_premade_builds_the_named_class(config: tf.estimator.RunConfig) -> None:
    # The variables have the names that TensorFlow gives them.
    network = premade(config, TRAIN, "DNNLinearCombinedClassifier", "binary", hidden_units=[4])
    params = make_params("binary")
    estimator = tf.estimator.DNNLinearCombinedClassifier(
        linear_feature_columns=params["categorical_columns"],
        dnn_feature_columns=params["feature_columns"],
        dnn_hidden_units=[4],
        dnn_optimizer="SGD",
        linear_optimizer="SGD",
        config=config,
    )
    theirs = Network(
        lambda features, labels, mode, params: estimator.model_fn(features, labels, mode, config),
        TRAIN,
        params,
    )

    assert [v.op.name for v in network.variables] == [v.op.name for v in theirs.variables]
