"""TensorFlow's premade Estimators held against our own models, and against real training."""

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


def own(mode: str, kind: str, task: str, *, weights: bool = False, **settings: Any) -> Network:
    return Network(model_fn, mode, make_params(task, type=kind, **settings), weights=weights)


def described(tensors: Mapping[str, tf.Tensor]) -> dict[str, tuple[str, list[int | None]]]:
    return {name: (tensor.dtype.name, tensor.shape.as_list()) for name, tensor in tensors.items()}


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_premade_model_fn_serves_what_our_own_models_do(
    config: tf.estimator.RunConfig, kind: str, task: str
) -> None:
    found = premade(config, PREDICT, kind, task).spec
    expected = own(PREDICT, "dnn", task).spec

    assert described(found.predictions) == described(expected.predictions)
    assert {name: type(output) for name, output in found.export_outputs.items()} == {
        name: type(output) for name, output in expected.export_outputs.items()
    }


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_premade_model_fn_measures_what_our_own_models_do(
    config: tf.estimator.RunConfig, kind: str, task: str
) -> None:
    found = premade(config, EVAL, kind, task).spec
    expected = own(EVAL, "dnn", task).spec

    assert set(found.eval_metric_ops) == set(expected.eval_metric_ops)


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_premade_model_fn_writes_the_summaries_of_our_own_models(
    config: tf.estimator.RunConfig, kind: str, task: str
) -> None:
    found = premade(config, TRAIN, kind, task, learning_rate=0.25).written()
    expected = own(TRAIN, "dnn", task).written()

    assert set(expected) | {"loss"} <= set(found)
    assert found["learning_rate"] == 0.25


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_premade_model_fn_moves_all_its_weights(
    config: tf.estimator.RunConfig, kind: str, task: str
) -> None:
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


@pytest.mark.parametrize("weights", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize(("kind", "task"), [*LINEAR, ("LinearClassifier", "binary")])
def test_premade_model_fn_of_a_linear_model_trains_as_our_own_does(
    config: tf.estimator.RunConfig, kind: str, task: str, weights: bool
) -> None:
    # Both begin at 0, so that the same steps lead to the same weights: the same loss, weights of
    # the examples, penalty, learning rates and limit of the gradient.
    settings = {
        "l2": 0.1,
        "clip_gradients": 0.3,
        "schedule": {"kind": "exponential", "steps": 5},
    }
    found = premade(config, TRAIN, kind, task, weights=weights, **settings)
    expected = own(TRAIN, "linear", task, weights=weights, **settings)

    for network in (found, expected):
        network.train(10)

    assert found.run(found.spec.loss) == pytest.approx(expected.run(expected.spec.loss), rel=1e-5)
    for weight, of_own in zip(_sorted(found), _sorted(expected), strict=True):
        np.testing.assert_allclose(weight, of_own, rtol=1e-4, atol=1e-6)


def _sorted(network: Network) -> list[Any]:
    names = [variable.op.name.partition("linear_model/")[2] for variable in network.variables]
    return [weight for _, weight in sorted(zip(names, network.weights(), strict=True))]


@pytest.mark.parametrize("weights", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize(("kind", "task"), LINEAR)
def test_premade_model_fn_evaluates_as_our_own_does(
    config: tf.estimator.RunConfig, kind: str, task: str, weights: bool
) -> None:
    found = premade(config, EVAL, kind, task, weights=weights)
    expected = own(EVAL, "linear", task, weights=weights)

    assert found.run(found.spec.loss) == pytest.approx(expected.run(expected.spec.loss), rel=1e-5)
    assert found.metrics() == pytest.approx(expected.metrics(), rel=1e-5)


def test_premade_model_fn_takes_the_settings_of_the_layers(
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


def test_premade_model_fn_keeps_the_averages_of_normalized_layers(
    config: tf.estimator.RunConfig,
) -> None:
    network = premade(config, TRAIN, "DNNClassifier", "multiclass", batch_norm=True)
    with network.session.graph.as_default():
        averages = [v for v in tf.compat.v1.global_variables() if "moving_mean" in v.op.name]
    assert averages

    network.train(1)

    for average in network.run(averages):
        assert np.any(average != 0)


def test_premade_model_fn_names_the_words_of_the_classes(config: tf.estimator.RunConfig) -> None:
    network = premade(config, PREDICT, "DNNClassifier", "multiclass")

    predictions = network.run(network.spec.predictions)

    words = [CLASSES[class_id].encode() for class_id in predictions["class_ids"].ravel()]
    assert predictions["classes"].ravel().tolist() == words


def test_premade_model_fn_predicts_in_the_unit_of_the_target(
    config: tf.estimator.RunConfig,
) -> None:
    # Weights that are 0 predict the mean.
    network = premade(config, PREDICT, "LinearRegressor", "regression")

    predictions = network.run(network.spec.predictions)

    np.testing.assert_allclose(predictions["predictions"], np.full((6, 1), 230), rtol=1e-6)


def test_premade_model_fn_is_that_of_the_premade_class(config: tf.estimator.RunConfig) -> None:
    # The variables of TensorFlow's own DNNLinearCombinedClassifier, by their names.
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
