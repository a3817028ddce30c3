"""Trainings whose process was killed, and what the next execution does with them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import attr
import pytest
import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from tests.helpers.model_graphs import WARNINGS
from tests.helpers.training_data import SETTINGS, fn_args
from trainer.run import run_fn

pytestmark = WARNINGS

LONG_SETTINGS = {**SETTINGS, "train": {**SETTINGS["train"], "steps": 300, "eval_every_steps": 100}}


_TRAIN = """import json, sys
from tfx.components.trainer.fn_args_utils import FnArgs
from trainer.run import run_fn
run_fn(FnArgs(**json.loads(sys.argv[1])))
"""


def last_checkpoint_step(folder: Path) -> int:
    """Returns the step of the last checkpoint below `model_run`; 0 if there is none."""
    # Training adds and removes files in the folder of checkpoints, so that a glob there may fail.
    for pattern in ("model_run/*/checkpoint", "model_run/*/*/checkpoint"):
        for path in folder.glob(pattern):
            latest = tf.train.latest_checkpoint(str(path.parent))
            if latest:
                return int(latest.rpartition("-")[2])
    return 0


@pytest.fixture(scope="module")
def killed_dir(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that was killed after its first checkpoint."""
    folder = tmp_path_factory.mktemp("killed")
    args = fn_args(data_dir, folder, LONG_SETTINGS)
    values = {key: value for key, value in vars(args).items() if value is not None}
    process = subprocess.Popen(
        [sys.executable, "-c", _TRAIN, json.dumps(values)],
        stderr=subprocess.PIPE,
        text=True,
    )
    while last_checkpoint_step(folder) == 0:
        if process.poll() is not None:
            pytest.fail(process.communicate()[1])
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return folder


@pytest.fixture
def killed_step(killed_dir: Path, tmp_path: Path) -> int:
    """Copies the folder of the killed training to `tmp_path`; returns its checkpoint's step."""
    shutil.copytree(killed_dir, tmp_path, dirs_exist_ok=True)
    step = last_checkpoint_step(tmp_path)
    assert 0 < step < LONG_SETTINGS["train"]["steps"]
    return step


def first_step(args: FnArgs) -> int:
    """Returns the first step after 0 in the last event file of a training.

    The event file of a killed process may be cut off or empty.
    """
    *_, path = sorted(Path(args.model_run_dir).glob("events.out.tfevents.*"))
    return min(event.step for event in tf.compat.v1.train.summary_iterator(str(path)) if event.step)


def test_killed_training_continues_from_checkpoint(
    data_dir: Path, tmp_path: Path, killed_step: int
) -> None:
    args = fn_args(data_dir, tmp_path, LONG_SETTINGS, execution="8")

    run_fn(args)

    assert first_step(args) == killed_step
    assert last_checkpoint_step(tmp_path) == 300
    assert os.listdir(tmp_path / "model_run") == ["8"]


@pytest.mark.usefixtures("killed_step")
@pytest.mark.parametrize(
    "change",
    [
        {"custom_config": {"settings": LONG_SETTINGS, "code_digest": "of edited code"}},
        {"hyperparameters": {"values": {"model.learning_rate": 0.1}}},
        {"base_model": "another model"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_killed_training_is_not_mixed_up(
    data_dir: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    args = attr.evolve(fn_args(data_dir, tmp_path, LONG_SETTINGS), **change)

    run_fn(args)

    assert first_step(args) == 1
