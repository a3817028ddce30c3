"""Steps of the optimizers on two weights and a bias, compared with NumPy."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer.model.optimizers import current_learning_rate, minimize
from trainer.settings.model import ModelSettings

START = np.array([3.0, -4.0], np.float32)
BIAS = 2.0
# The loss is 6 w_0 + 8 w_1 + 24 b: its gradient is (6, 8, 24), of norm 26.
GRADIENT = np.array([6.0, 8.0])
BIAS_GRADIENT = 24.0


class Descent:
    """A few steps of `minimize` over the loss above."""

    def __init__(self, steps: int = 1, **settings: Any) -> None:
        defaults = {"optimizer": "sgd", "learning_rate": 0.1}
        params = ModelSettings.model_validate({**defaults, **settings}).model_dump()
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            step = tf.compat.v1.train.create_global_step()
            weights = tf.compat.v1.get_variable("kernel", initializer=START)
            bias = tf.compat.v1.get_variable("dense/bias", initializer=BIAS)
            average = tf.compat.v1.get_variable("average", initializer=0.0, trainable=False)
            tf.compat.v1.add_to_collection(
                tf.compat.v1.GraphKeys.UPDATE_OPS, average.assign_add(1.0)
            )
            loss = tf.reduce_sum(weights * GRADIENT) + BIAS_GRADIENT * bias
            train_op = minimize(loss, params)
            summaries = tf.compat.v1.summary.merge_all()
            session.run(tf.compat.v1.global_variables_initializer())
            self.summaries = []
            for _ in range(steps):
                written = tf.compat.v1.Summary.FromString(session.run(summaries)).value
                self.summaries.append({value.tag: value.simple_value for value in written})
                session.run(train_op)
            self.weights, self.bias, self.step, self.average = session.run(
                [weights, bias, step, average]
            )


def test_minimize_increments_global_step() -> None:
    assert Descent(steps=3).step == 3


def test_minimize_runs_update_ops() -> None:
    assert Descent(steps=3).average == 3


def test_minimize_descends_gradient() -> None:
    descent = Descent()

    np.testing.assert_allclose(descent.weights, START - 0.1 * GRADIENT, rtol=1e-6)
    assert descent.bias == pytest.approx(BIAS - 0.1 * BIAS_GRADIENT)


def test_minimize_momentum_of_sgd() -> None:
    # The second step is the gradient plus half of the first step: 1 + 1.5 gradients in total.
    descent = Descent(steps=2, momentum=0.5)

    np.testing.assert_allclose(descent.weights, START - 0.1 * 2.5 * GRADIENT, rtol=1e-5)


def test_minimize_momentum_of_rmsprop() -> None:
    # RMSProp's mean square begins at 1, decays by 0.9: m = rate * g / sqrt(0.9 m + 0.1 g^2).
    first = 0.1 * GRADIENT / np.sqrt(0.9 + 0.1 * GRADIENT**2)
    second = 0.1 * GRADIENT / np.sqrt(0.9 * (0.9 + 0.1 * GRADIENT**2) + 0.1 * GRADIENT**2)
    descent = Descent(steps=2, optimizer="rmsprop", momentum=0.5)

    np.testing.assert_allclose(descent.weights, START - 1.5 * first - second, rtol=1e-4)


@pytest.mark.parametrize(("limit", "factor"), [(13.0, 0.5), (26.0, 1.0), (100.0, 1.0)])
def test_minimize_clips_by_global_norm(limit: float, factor: float) -> None:
    descent = Descent(clip_gradients=limit)

    np.testing.assert_allclose(descent.weights, START - 0.1 * factor * GRADIENT, rtol=1e-5)
    assert descent.bias == pytest.approx(BIAS - 0.1 * factor * BIAS_GRADIENT)


@pytest.mark.parametrize(
    ("settings", "gradient", "penalty"),
    [
        # |3| + |-4| = 7, (9 + 16) / 2 = 12.5; the bias does not count.
        ({"l1": 0.5}, [0.5, -0.5], 3.5),
        ({"l2": 0.5}, [1.5, -2.0], 6.25),
        ({"l1": 0.1, "l2": 1.0}, [3.1, -4.1], 13.2),
    ],
)
def test_minimize_adds_penalty(
    settings: dict[str, float], gradient: list[float], penalty: float
) -> None:
    descent = Descent(**settings)

    np.testing.assert_allclose(
        descent.weights, START - 0.1 * (GRADIENT + np.array(gradient)), rtol=1e-5
    )
    assert descent.bias == pytest.approx(BIAS - 0.1 * BIAS_GRADIENT)
    assert descent.summaries[0]["penalty"] == pytest.approx(penalty)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (None, [0.8, 0.8, 0.8, 0.8, 0.8]),
        # a quarter every two steps
        ({"kind": "exponential", "steps": 2, "rate": 0.25}, [0.8, 0.4, 0.2, 0.1, 0.05]),
        # half of 0.8, times 1 plus the cosine of a third of pi each step
        ({"kind": "cosine", "steps": 3}, [0.8, 0.6, 0.2, 0, 0]),
        # times 0.5 above step 1, and again above step 3
        ({"kind": "piecewise", "boundaries": [1, 3], "rate": 0.5}, [0.8, 0.8, 0.4, 0.4, 0.2]),
    ],
)
def test_current_learning_rate_follows_schedule(
    schedule: dict[str, Any] | None, expected: list[float]
) -> None:
    descent = Descent(steps=5, learning_rate=0.8, schedule=schedule)

    rates = [written["learning_rate"] for written in descent.summaries]
    np.testing.assert_allclose(rates, expected, atol=1e-6)
    np.testing.assert_allclose(descent.weights, START - sum(expected) * GRADIENT, rtol=1e-5)


def test_current_learning_rate_without_schedule() -> None:
    assert current_learning_rate({"learning_rate": 0.3, "schedule": None}, 7) == 0.3
