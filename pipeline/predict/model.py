"""Reads the description of a pushed model from the files beside it; no TensorFlow."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer.classes import CLASSES_FILE
from trainer.settings.feature_base import RawType
from trainer.signatures import SIGNATURE_FILE

PREDICTED = "predicted"
CLASSES, PROBABILITIES = "classes", "probabilities"
PREDICTIONS = "predictions"


@dataclass(frozen=True)
class PushedModel:
    """A version in the serving folder.

    Attributes:
        path: Folder of the SavedModel.
        inputs: Raw column that it reads, to its type.
        classes: The classes by class id; empty in a regression.
    """

    path: str
    inputs: Mapping[str, RawType]
    classes: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the output columns: the class or number, and the probability of each class."""
        return (PREDICTED, *(f"probability_{word}" for word in self.classes))


def read_model(path: Path) -> PushedModel:
    """Reads the description of a model.

    Args:
        path: Folder of the SavedModel.

    Raises:
        ValueError: If it has no description, or gives neither classes nor a number.
    """
    extra = path / "assets.extra"
    try:
        described = json.loads((extra / SIGNATURE_FILE).read_text("utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"has no {error.filename}") from None
    inputs: dict[str, RawType] = {
        name: "bytes" if tensor["dtype"] == "string" else "float"
        for name, tensor in described["inputs"].items()
    }
    if PREDICTIONS in described["outputs"]:
        return PushedModel(str(path), inputs, ())
    if not {CLASSES, PROBABILITIES} <= set(described["outputs"]):
        raise ValueError(
            f"gives {', '.join(described['outputs'])}, but neither {PREDICTIONS} nor {CLASSES} and"
            f" {PROBABILITIES}"
        )
    if not (extra / CLASSES_FILE).exists():
        raise ValueError(f"has no {extra / CLASSES_FILE}")
    words = (extra / CLASSES_FILE).read_text("utf-8").removesuffix("\n").split("\n")
    return PushedModel(str(path), inputs, tuple(words))
