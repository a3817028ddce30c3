"""The settings of the model and its training: plain pydantic models, no TensorFlow."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MAX_STEPS = 10**9
"""More steps or rows than any training has: catches a slipped digit."""


class SettingError(ValueError):
    """A mistake found by comparing settings with each other.

    Attributes:
        key: Where the wrong one stands, below the section that found it.
    """

    def __init__(self, key: tuple[str, ...], message: str) -> None:
        """Keeps the key."""
        super().__init__(message)
        self.key = key


class Section(BaseModel):
    """A part of the configuration: frozen, strictly typed, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _as_tuple(value: Any) -> Any:
    """YAML knows lists only; a frozen section holds tuples."""
    return tuple(value) if isinstance(value, list) else value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be finite")
    return value


FrozenList = BeforeValidator(_as_tuple)
FiniteFloat = Annotated[float, AfterValidator(_finite)]
Optimizer = Literal["adagrad", "adam", "ftrl", "rmsprop", "sgd"]
FeatureKind = Literal["numeric"]


class ModelSettings(Section):
    """The network and what it learns with."""

    hidden_units: Annotated[
        tuple[Annotated[int, Field(ge=1, le=100_000)], ...], FrozenList, Field(min_length=1)
    ] = Field((10, 10), description="Units of each hidden layer (ReLU), first to last.")
    optimizer: Optimizer = Field("adagrad", description="What minimizes the loss.")
    learning_rate: FiniteFloat = Field(0.1, gt=0, description="Step size of the optimizer.")
    seed: int = Field(
        1,
        ge=0,
        lt=2**31,
        description="Seed of initial weights and shuffling: same seed, same model.",
    )


class TrainSettings(Section):
    """How long and on what the model trains."""

    steps: int = Field(200, ge=1, le=MAX_STEPS, description="Training steps, a batch each.")
    batch_size: int = Field(100, ge=1, le=1_000_000, description="Examples per training step.")
    eval_every_steps: int = Field(
        50,
        ge=1,
        le=MAX_STEPS,
        description="Steps between checkpoints; each is evaluated on the whole eval split.",
    )
    summary_every_steps: int = Field(
        10, ge=1, le=MAX_STEPS, description="Steps between the points of the training curves."
    )


class TrainerSettings(Section):
    """What Transform and Trainer are told: the sections that concern them."""

    label: str
    features: dict[str, FeatureKind]
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()

    @property
    def feature_names(self) -> Sequence[str]:
        """Raw columns the model reads, in the order of the configuration."""
        return tuple(self.features)


def apply_overrides(settings: TrainerSettings, overrides: Mapping[str, Any]) -> TrainerSettings:
    """Gives the settings with some of them replaced.

    Args:
        settings: The settings; they stay as they are.
        overrides: Dotted key, as `model.learning_rate`, to new value.

    Raises:
        pydantic.ValidationError: If there is no such setting, or it refuses the value.
    """
    data = settings.model_dump(mode="json")
    for key, value in overrides.items():
        *sections, name = key.split(".")
        inner = data
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[name] = value
    return TrainerSettings.model_validate(data)


def is_column_name(name: str) -> bool:
    """Whether TensorFlow can carry a column of this name as a tensor's name in a signature."""
    return re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/-]*", name) is not None
