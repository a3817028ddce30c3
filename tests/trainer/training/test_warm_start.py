"""Trainings that start from the weights of an exported model."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.model_graphs import WARNINGS
from tests.helpers.training_data import MakeArgs, assert_same_weights, saved_weights
from trainer.run import run_fn
from trainer.training.state_dir import exported_checkpoint

pytestmark = WARNINGS


@pytest.fixture
def base(make_args: MakeArgs) -> FnArgs:
    """A finished training, whose model the others start from."""
    args = make_args({}, execution="base")
    run_fn(args)
    return args


HARDLY_LEARNS = {"learning_rate": 1e-12, "seed": 2}
"""Settings that hardly change the initial weights, which another seed draws."""


def warm_args(make_args: MakeArgs, base: FnArgs, **model: Any) -> FnArgs:
    args = make_args({"steps": 20, "warm_start": True}, {**HARDLY_LEARNS, **model})
    args.base_model = base.serving_model_dir
    return args


def test_warm_start_uses_weights_of_base_model(make_args: MakeArgs, base: FnArgs) -> None:
    args = warm_args(make_args, base)

    run_fn(args)

    assert exported_checkpoint(args.model_run_dir).endswith("model.ckpt-20")
    assert_same_weights(saved_weights(args), saved_weights(base))


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Lines that absl logs."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler, logger = Keep(), logging.getLogger("absl")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.setLevel(before)
    logger.removeHandler(handler)


def test_warm_start_skips_other_shapes(
    make_args: MakeArgs, base: FnArgs, logged: list[str]
) -> None:
    args = warm_args(make_args, base, hidden_units=[8, 4])

    run_fn(args)

    found, before = saved_weights(args), saved_weights(base)
    same = {name for name in found if name in before and found[name].shape == before[name].shape}
    assert 0 < len(same) < len(found)
    for name in same:
        np.testing.assert_allclose(found[name], before[name], rtol=1e-6, err_msg=name)
    (line,) = (line for line in logged if line.startswith("warm start"))
    assert f"warm start with {len(same)} weights of {base.serving_model_dir}" in line
    for name in set(found) - same:
        assert name in line


def test_warm_start_without_base_model_is_random(make_args: MakeArgs, base: FnArgs) -> None:
    args = warm_args(make_args, base)
    args.base_model = None

    run_fn(args)

    kernels = [name for name in saved_weights(args) if name.endswith("kernel")]
    assert kernels
    for name in kernels:
        assert not np.allclose(saved_weights(args)[name], saved_weights(base)[name])
