"""What minimizes a loss: optimizers, learning rates that fall, penalties and clipped gradients."""

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
    # Its first step puts the weights near zero, whatever they were, unless its sum begins at zero.
    "ftrl": lambda rate, _: tf.compat.v1.train.FtrlOptimizer(rate, initial_accumulator_value=0.0),
    "rmsprop": lambda rate, momentum: tf.compat.v1.train.RMSPropOptimizer(rate, momentum=momentum),
    "sgd": _sgd,
}
"""Makes each optimizer from its learning rate and its momentum."""
_NOT_WEIGHTS = ("bias", "bias_weights", "beta", "gamma")


def minimize(loss: tf.Tensor, params: Mapping[str, Any]) -> tf.Operation:
    """Makes the op of one training step, and writes the summary `learning_rate`.

    What is minimized is `loss + l1 * sum(|w|) + l2 / 2 * sum(w^2)` over all weights `w` but biases
    and the scales of normalized layers. The penalty is no part of the loss that a training reports,
    which so stays comparable with that of an evaluation; it has a summary of its own, `penalty`.

    Args:
        loss: Scalar; all trainable variables of its graph are moved.
        params: `optimizer`, `learning_rate`, `momentum`, `schedule`, `l1`, `l2`, and
            `clip_gradients`: gradients whose norm, taken over all of them, is greater are scaled
            down to it.

    Returns:
        An op that also runs the graph's update ops (of normalized layers), and adds 1 to the
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
    """Gives the learning rate of a step.

    `exponential`: `learning_rate * rate ** (step / steps)`. `cosine`: `learning_rate *
    (1 + cos(pi * step / steps)) / 2`, and 0 from `steps` on. `piecewise`: `learning_rate * rate **
    n`, n being the number of `boundaries` below the step.

    Args:
        params: `learning_rate`, and `schedule`, a `Schedule` as a dict whose `steps` are set, or
            None: the rate stays.
        step: The global step.
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
