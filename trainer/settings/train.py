"""The settings of Transform and Trainer: plain pydantic models, no TensorFlow."""

import copy
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from trainer.settings.base import FiniteFloat, Section, SettingError
from trainer.settings.features import Feature, RawType, raw_types
from trainer.settings.model import MAX_STEPS, ModelSettings

Task = Literal["multiclass", "binary", "regression"]
Best = Literal["min", "max"]
"""Which value of a metric is the best."""
BEST: Mapping[str, Best] = {
    **dict.fromkeys(("loss", "average_loss", "cross_entropy", "rmse", "mse", "mae"), "min"),
    **dict.fromkeys(
        ("accuracy", "auc", "auc_precision_recall", "precision", "recall", "r2"), "max"
    ),
}
"""Which value of a metric is the best, by the usual names."""


def best_of(metric: str, best: Best | None, key: str) -> Best:
    """Says which value of a metric is the best.

    Args:
        metric: Its name.
        best: What the settings say; None where they leave it to the name.
        key: The setting that says it.

    Raises:
        SettingError: If the name says nothing, or something else.
    """
    known = BEST.get(metric)
    found = best or known
    if found is None:
        raise SettingError((key,), f"must say whether the min or the max of {metric} is best")
    if known not in (None, found):
        raise SettingError((key,), f"the {found} of {metric} is not the best, but the {known}")
    return found


def is_better(best: Best, value: float, other: float) -> bool:
    """Whether a value of a metric is better than another."""
    return value < other if best == "min" else value > other


class EarlyStopping(Section):
    """Ends a training that no longer gets better."""

    evaluations: int = Field(
        10, ge=1, le=MAX_STEPS, description="Evaluations in a row without a better one."
    )
    min_change: FiniteFloat = Field(0, ge=0, description="A better one is so by more than this.")


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
    class_weights: Literal["balanced"] | dict[str, Annotated[FiniteFloat, Field(gt=0)]] | None = (
        Field(
            None,
            description="Weight of each class in the loss by its word, others 1; `balanced`: all"
            " classes weigh alike; null: all examples do.",
        )
    )
    export: Literal["last", "best"] = Field(
        "last", description="Which checkpoint becomes the model: the last, or the best evaluated."
    )
    best_metric: str = Field(
        "loss", min_length=1, description="What the best is best in; a metric of the `model_fn`."
    )
    best_is: Best | None = Field(
        None,
        description="Which value of `best_metric` is the best; null: known of the usual metrics.",
    )
    early_stopping: EarlyStopping | None = Field(
        None, description="Ends a training whose `best_metric` gets no better; null: none."
    )
    warm_start: bool = Field(
        False, description="Whether training begins with the weights of the latest blessed model."
    )

    @model_validator(mode="after")
    def _best_is_known(self) -> "TrainSettings":
        best_of(self.best_metric, self.best_is, "best_is")
        return self

    @property
    def best(self) -> Best:
        """Which value of `best_metric` is the best."""
        return best_of(self.best_metric, self.best_is, "best_is")


class TrainerSettings(Section):
    """What Transform and Trainer are told: the sections that concern them."""

    task: Task = "multiclass"
    label: str
    positive: str | None = None
    weight: str | None = None
    features: dict[str, Feature]
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()

    @property
    def raw_types(self) -> dict[str, RawType]:
        """Raw columns that the model reads, and how, in the order of the configuration."""
        return raw_types(self.features)


def transform_settings(settings: TrainerSettings) -> dict[str, Any]:
    """Picks what Transform is told, as JSON: no other setting makes it run again."""
    features = {
        name: feature.model_copy(update={"encode": "one_hot", "dimension": None})
        if feature.has_ids
        else feature
        for name, feature in settings.features.items()
        if feature.raw_type is not None
    }
    return settings.model_copy(update={"features": features}).model_dump(
        mode="json",
        include={
            **dict.fromkeys(("task", "label", "positive", "weight", "features"), True),
            "model": {"preprocessing_fn"},
        },
    )


def apply_overrides(settings: Mapping[str, Any], overrides: Mapping[str, Any]) -> TrainerSettings:
    """Gives the settings with some of them replaced.

    Args:
        settings: A `TrainerSettings` as JSON, which may lack what is replaced; it stays as it is.
        overrides: Dotted key, as `model.learning_rate`, to new value.

    Raises:
        pydantic.ValidationError: If there is no such setting, or it refuses the value.
    """
    data = copy.deepcopy(dict(settings))
    for key, value in overrides.items():
        *sections, name = key.split(".")
        inner = data
        for section in sections:
            if not isinstance(inner.get(section), dict):  # absent, or null
                inner[section] = {}
            inner = inner[section]
        inner[name] = value
    return TrainerSettings.model_validate(data)


def is_column_name(name: str) -> bool:
    """Whether TensorFlow can carry a column of this name as a tensor's name in a signature."""
    return re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/-]*", name) is not None
