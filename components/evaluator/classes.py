"""Reads the classes of an exported model."""

import os

from tfx.dsl.io import fileio

from trainer.classes import CLASSES_FILE


def read_classes(saved_model_dir: str) -> list[bytes]:
    """Reads the words of the label in the order of their class ids.

    Args:
        saved_model_dir: Folder of a SavedModel that the trainer exported.

    Returns:
        The words; a word's index is its class id. Empty if the model has no classes.
    """
    path = os.path.join(saved_model_dir, "assets.extra", CLASSES_FILE)
    if not fileio.exists(path):
        return []
    with fileio.open(path, "rb") as file:
        content: bytes = file.read()
    return content.splitlines()
