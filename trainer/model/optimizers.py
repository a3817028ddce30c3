"""Optimizers, learning rate schedules, regularization and gradient clipping."""

from collections.abc import Callable, Mapping
from itertools import accumulate, repeat
from typing import Any

import tensorflow as tf


def _sgd(rate: tf.Tensor | float, momentum: float) -> tf.compat.v1.train.Optimizer:
    if momentum:
        return tf.compat.v1.train.MomentumOptimizer(rate, momentum)
    return tf.compat.v1.train.GradientDescentOptimizer(rate)


OPTIMIZERS: Mapping[str, Callable[[tf.Tensor | float, float], tf.compat.v1.train.Optimizer]] = {
    "adagrad": lambda rate, _: tf.compat.v1.train.AdagradOptimizer(rate),
    "adam": lambda rate, _: tf.compat.v1.train.AdamOptimizer(rate),
    # With a positive initial accumulator, the first step would move all weights close to 0.
    "ftrl": lambda rate, _: tf.compat.v1.train.FtrlOptimizer(rate, initial_accumulator_value=0.0),
    "rmsprop": lambda rate, momentum: tf.compat.v1.train.RMSPropOptimizer(rate, momentum=momentum),
    "sgd": _sgd,
}
"""Factories of the optimizers, called with learning rate and momentum."""
_NOT_WEIGHTS = ("bias", "bias_weights", "beta", "gamma")


def minimize(loss: tf.Tensor, params: Mapping[str, Any]) -> tf.Operation:
    """Makes the op of one training step, and writes the summary `learning_rate`.

    The op minimizes `loss + l1 * sum(|w|) + l2 / 2 * sum(w^2)`; the sums are over all weights `w`
    except biases and the parameters of batch normalization. The reported training loss excludes
    this penalty, so that it can be compared with the loss of evaluations; the penalty has its own
    summary, `penalty`.

    The gradient of w^2 at w = 3 is 6, so that a step with learning rate 0.1 leads to 3 - 0.6:

    >>> params = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0, "schedule": None}
    >>> params |= {"l1": 0, "l2": 0, "clip_gradients": None}
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    ...     weight = tf.compat.v1.get_variable("weight", initializer=3.0)
    ...     train_op = minimize(weight**2, params)
    ...     session.run(tf.compat.v1.global_variables_initializer())
    ...     session.run(train_op)
    ...     print(f"{session.run(weight):.4f}")
    2.4000

    Args:
        loss: Scalar; all trainable variables of its graph are updated.
        params: `optimizer`, `learning_rate`, `momentum`, `schedule`, `l1`, `l2`, and
            `clip_gradients`: the largest norm over all gradients together; larger gradients are
            scaled down to it.

    Returns:
        An op that also runs the graph's update ops (of batch normalization) and adds 1 to the
        global step.
    """
    step = tf.compat.v1.train.get_or_create_global_step()
    rate = current_learning_rate(params, step)
    tf.compat.v1.summary.scalar("learning_rate", rate)
    optimizer = OPTIMIZERS[params["optimizer"]](rate, params["momentum"])
    if params["l1"] or params["l2"]:
        loss += _penalty(params)
    gradients = optimizer.compute_gradients(loss)
    if params["clip_gradients"] is not None:
        values, variables = zip(*gradients, strict=True)
        clipped, _ = tf.clip_by_global_norm(values, params["clip_gradients"])
        gradients = list(zip(clipped, variables, strict=True))
    updates = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        return optimizer.apply_gradients(gradients, global_step=step)


def current_learning_rate(params: Mapping[str, Any], step: tf.Tensor) -> tf.Tensor | float:
    """Computes the learning rate at a step.

      * without a schedule: `learning_rate`;
      * `exponential`: `learning_rate * rate ** (step / steps)`;
      * `cosine`: `learning_rate * (1 + cos(pi * step / steps)) / 2`, and 0 from `steps` on;
      * `piecewise`: `learning_rate * rate ** n`, where n boundaries are less than the step.

    One of two boundaries is less than step 15, so that 0.4 is halved once:

    >>> schedule = {"kind": "piecewise", "rate": 0.5, "boundaries": [10, 20]}
    >>> with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    ...     step = tf.constant(15, tf.int64)
    ...     rate = current_learning_rate({"learning_rate": 0.4, "schedule": schedule}, step)
    ...     print(f"{session.run(rate):.4f}")
    0.2000

    Args:
        params: `learning_rate`, and `schedule`: None, or a `Schedule` as a dict with `steps` set.
        step: The global step, int64 scalar.

    Returns:
        Float32 scalar, or the number itself without a schedule.
    """
    rate, schedule = params["learning_rate"], params["schedule"]
    if schedule is None:
        return rate
    train = tf.compat.v1.train
    if schedule["kind"] == "exponential":
        return train.exponential_decay(rate, step, schedule["steps"], schedule["rate"])
    if schedule["kind"] == "cosine":
        return train.cosine_decay(rate, step, schedule["steps"])
    boundaries = list(schedule["boundaries"])
    factors = repeat(schedule["rate"], len(boundaries))
    rates = list(accumulate(factors, lambda value, factor: value * factor, initial=rate))
    return train.piecewise_constant(step, boundaries, rates)


def _penalty(params: Mapping[str, Any]) -> tf.Tensor:
    weights = [
        variable
        for variable in tf.compat.v1.trainable_variables()
        if variable.op.name.rpartition("/")[2] not in _NOT_WEIGHTS
    ]
    penalty = tf.add_n(
        [
            params["l1"] * tf.reduce_sum(tf.abs(weight)) + params["l2"] * tf.nn.l2_loss(weight)
            for weight in weights
        ]
    )
    tf.compat.v1.summary.scalar("penalty", penalty)
    return penalty
