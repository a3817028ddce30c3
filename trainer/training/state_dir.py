"""The folder of a training: its name while unfinished, its settings, and its checkpoint."""

import hashlib
import json
import os
from typing import Any

import tensorflow as tf

from trainer.export import move_children
from trainer.settings.train import TrainerSettings
from trainer.training.best_checkpoint import BEST_DIR

_SETTINGS_FILE = "settings.json"


def unfinished_dir(output_dir: str, *determinants: Any) -> str:
    """Names the folder for the state of unfinished work; the same work has the same folder.

    TFX gives each execution a new output folder, in which work that was killed would never find its
    state again. This folder is beside those of the executions, and is named by a hash of everything
    that determines the work.

    Args:
        output_dir: Output folder of this execution.
        *determinants: Everything that determines the work; must be serializable as JSON.
    """
    key = hashlib.sha256(json.dumps(determinants, sort_keys=True).encode()).hexdigest()[:16]
    return os.path.join(os.path.dirname(output_dir), "unfinished", key)


def move_finished(state_dir: str, output_dir: str) -> None:
    """Moves the content of an `unfinished_dir` to the output folder, once the work is done."""
    move_children(state_dir, output_dir)
    tf.io.gfile.rmtree(state_dir)
    if not tf.io.gfile.listdir(os.path.dirname(state_dir)):  # there is no other unfinished work
        tf.io.gfile.rmtree(os.path.dirname(state_dir))


def write_settings(settings: TrainerSettings, model_dir: str) -> None:
    """Writes the settings of a training, with the values chosen by a sweep, to its folder."""
    tf.io.gfile.makedirs(model_dir)
    with tf.io.gfile.GFile(os.path.join(model_dir, _SETTINGS_FILE), "w") as file:
        file.write(settings.model_dump_json(indent=1))


def read_settings(model_dir: str) -> TrainerSettings:
    """Reads what `write_settings` wrote."""
    with tf.io.gfile.GFile(os.path.join(model_dir, _SETTINGS_FILE)) as file:
        return TrainerSettings.model_validate(json.loads(file.read()))


def exported_checkpoint(model_dir: str) -> str:
    """Finds the checkpoint of a training that is exported: the best one if kept, else the last.

    Args:
        model_dir: Folder of the training.

    Returns:
        A `checkpoint_path` for `Estimator.predict`.

    Raises:
        FileNotFoundError: If there is no checkpoint.
    """
    path: str | None = tf.train.latest_checkpoint(os.path.join(model_dir, BEST_DIR))
    path = path or tf.train.latest_checkpoint(model_dir)
    if path is None:
        raise FileNotFoundError(f"no checkpoint in {model_dir}")
    return path
