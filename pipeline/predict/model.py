"""What a pushed model says of itself, in files beside it; no TensorFlow."""

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
        inputs: Raw columns that it reads, and how.
        classes: The label's words by class id; none in a regression.
    """

    path: str
    inputs: Mapping[str, RawType]
    classes: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of what is predicted: the class or number, and the probability of each class."""
        return (PREDICTED, *(f"probability_{word}" for word in self.classes))


def read_model(path: Path) -> PushedModel:
    """Reads what a model says of itself.

    Args:
        path: Folder of the SavedModel.

    Raises:
        ValueError: If it says nothing, or gives neither classes nor a number.
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
