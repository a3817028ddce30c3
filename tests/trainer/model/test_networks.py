"""Logits of each type of model, compared with NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.model_graphs import (
    EVAL,
    INPUT,
    ONE_HOT,
    PREDICT,
    TRAIN,
    WARNINGS,
    Array,
    Network,
    forward,
    make_params,
)
from trainer.model.model_fn import model_fn
from trainer.model.networks import ACTIVATIONS, wide_columns

pytestmark = WARNINGS

UNITS = {"hidden_units": [7, 5], "optimizer": "sgd"}
ORACLES: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    # Source: Klambauer et al., "Self-Normalizing Neural Networks" (2017).
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
}


def network(mode: str, task: str = "multiclass", **settings: Any) -> Network:
    return Network(model_fn, mode, make_params(task, **{**UNITS, **settings}))


def logits_of(built: Network) -> Array:
    return np.asarray(built.run(built.spec.predictions["logits"]))


def named(built: Network) -> dict[str, Array]:
    """Returns the trainable variables by name."""
    names = [variable.op.name for variable in built.variables]
    return dict(zip(names, built.weights(), strict=True))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_make_logits_applies_activation(activation: str) -> None:
    built = network(PREDICT, activation=activation)

    w_1, b_1, w_2, b_2, w_3, b_3 = built.weights()
    function = ORACLES[activation]
    expected = function(function(INPUT @ w_1 + b_1) @ w_2 + b_2) @ w_3 + b_3
    np.testing.assert_allclose(logits_of(built), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", [PREDICT, EVAL])
def test_make_logits_no_dropout_outside_training(mode: str) -> None:
    built, without = network(mode, dropout=0.5), network(mode)

    fetches = ("predictions", "loss")[mode == EVAL]
    for _ in range(2):
        found = built.run(getattr(built.spec, fetches))
        expected = without.run(getattr(without.spec, fetches))
        tf.nest.map_structure(np.testing.assert_array_equal, found, expected)


def test_make_logits_dropout_in_training() -> None:
    built = network(TRAIN, dropout=0.5)

    losses = {float(built.run(built.spec.loss)) for _ in range(5)}
    assert len(losses) > 1


def test_make_logits_normalizes_by_batch() -> None:
    built = network(TRAIN, "regression", hidden_units=[4], batch_norm=True, activation="tanh")

    values = named(built)
    net = INPUT @ values["dense/kernel"] + values["dense/bias"]
    net = np.tanh((net - net.mean(axis=0)) / np.sqrt(net.var(axis=0) + 1e-3))
    logits = net @ values["dense_1/kernel"] + values["dense_1/bias"]
    z_scores = (np.array([180.0, 240, 310, 205, 260, 190]) - 230) / 45
    expected = ((logits[:, 0] - z_scores) ** 2).mean()
    assert built.run(built.spec.loss) == pytest.approx(expected, rel=1e-4)


def test_make_logits_normalizes_by_averages() -> None:
    built = network(TRAIN, hidden_units=[4], batch_norm=True, learning_rate=1e-9)
    with built.session.graph.as_default():
        (mean,) = [v for v in tf.compat.v1.global_variables() if "moving_mean" in v.op.name]
    values = named(built)
    net = INPUT @ values["dense/kernel"] + values["dense/bias"]

    built.train(100)

    np.testing.assert_allclose(built.run(mean), net.mean(axis=0), rtol=1e-3, atol=1e-5)


def linear_part(values: dict[str, Array]) -> Array:
    """Computes the linear part for the examples: a weight per number and per id, and a bias."""
    weights = {name.split("/")[1]: value for name, value in values.items() if "linear" in name}
    logits = weights["bias_weights"] + ONE_HOT @ weights["c"]
    for column, name in enumerate("ab"):
        if name in weights:
            logits = logits + INPUT[:, column : column + 1] @ weights[name]
    return np.asarray(logits)


def trained(**settings: Any) -> tuple[dict[str, Array], Array]:
    """Trains a few steps, since linear weights begin at 0; returns the new weights and logits."""
    built = network(TRAIN, **settings)
    built.train(3)
    values = named(built)
    predicting = network(PREDICT, **settings)
    with predicting.session.graph.as_default():
        for variable in predicting.variables:
            predicting.run(variable.assign(values[variable.op.name]))
    return values, logits_of(predicting)


def test_make_logits_linear() -> None:
    values, logits = trained(type="linear")

    assert {name.split("/")[1] for name in values} == {"a", "b", "c", "bias_weights"}
    np.testing.assert_allclose(logits, linear_part(values), rtol=1e-4, atol=1e-6)
    assert np.ptp(logits) > 0


def test_make_logits_adds_deep_and_wide() -> None:
    values, logits = trained(type="wide_deep")

    deep = forward([value for name, value in values.items() if name.startswith("dense")])
    assert {name.split("/")[1] for name in values if "linear" in name} == {"c", "bias_weights"}
    np.testing.assert_allclose(logits, deep + linear_part(values), rtol=1e-4, atol=1e-6)


def test_wide_columns_without_ids_are_all() -> None:
    params = make_params()

    assert wide_columns(params) == params["categorical_columns"]
    assert wide_columns({**params, "categorical_columns": []}) == params["linear_columns"]
