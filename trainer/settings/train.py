"""Settings of Transform and Trainer; imports no TensorFlow."""

import copy
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from trainer.settings.base import FiniteFloat, Section, SettingError
from trainer.settings.dotted_keys import split_key
from trainer.settings.feature_base import RawType
from trainer.settings.feature_names import output_names, raw_types
from trainer.settings.features import Feature
from trainer.settings.model import MAX_STEPS, ModelSettings

Task = Literal["multiclass", "binary", "regression"]
Best = Literal["min", "max"]
"""Whether the lowest or the highest value of a metric is best."""
BEST: Mapping[str, Best] = {
    **dict.fromkeys(("loss", "average_loss", "cross_entropy", "rmse", "mse", "mae"), "min"),
    **dict.fromkeys(
        ("accuracy", "auc", "auc_precision_recall", "precision", "recall", "r2"), "max"
    ),
}
"""The best value of well-known metrics."""


def best_of(metric: str, best: Best | None, key: str) -> Best:
    """Finds out whether the lowest or the highest value of a metric is best.

    Args:
        metric: Name of the metric.
        best: The user's choice; None to look it up in `BEST`.
        key: Name of the setting that holds the choice, for the error.

    Raises:
        SettingError: If the metric is unknown and the user chose nothing, or if the choice
            contradicts `BEST`.
    """
    known = BEST.get(metric)
    found = best or known
    if found is None:
        raise SettingError((key,), f"must be min or max: the best value of {metric} is not known")
    if known not in (None, found):
        raise SettingError(
            (key,), f"must be {known}: the {found} of {metric} is not its best value"
        )
    return found


def is_better(best: Best, value: float, other: float) -> bool:
    """Whether `value` is strictly better than `other`."""
    return value < other if best == "min" else value > other


class EarlyStopping(Section):
    """When to end a training that no longer improves."""

    evaluations: int = Field(
        10,
        ge=1,
        le=MAX_STEPS,
        description="Number of consecutive evaluations without improvement after which training"
        " stops.",
    )
    min_change: FiniteFloat = Field(
        0, ge=0, description="A change of the metric counts as improvement if it exceeds this."
    )


class TrainSettings(Section):
    """How the model is trained and evaluated."""

    steps: int = Field(
        200, ge=1, le=MAX_STEPS, description="Number of training steps, one batch each."
    )
    batch_size: int = Field(100, ge=1, le=1_000_000, description="Examples per training step.")
    eval_every_steps: int = Field(
        50,
        ge=1,
        le=MAX_STEPS,
        description="Steps between checkpoints; each checkpoint is evaluated on the whole eval"
        " split.",
    )
    summary_every_steps: int = Field(
        10, ge=1, le=MAX_STEPS, description="Steps between two points of the training curves."
    )
    class_weights: Literal["balanced"] | dict[str, Annotated[FiniteFloat, Field(gt=0)]] | None = (
        Field(
            None,
            description="Weight in the loss by class name, 1 for classes not named; `balanced`:"
            " every class has the same total weight; null: every example has the same weight.",
        )
    )
    export: Literal["last", "best"] = Field(
        "last", description="Checkpoint to export: the `last`, or the `best` by `best_metric`."
    )
    best_metric: str = Field(
        "loss",
        min_length=1,
        description="Metric of the eval split that decides which checkpoint is best.",
    )
    best_is: Best | None = Field(
        None,
        description="Whether the lowest (`min`) or the highest (`max`) value of `best_metric` is"
        " best; null: looked up, for well-known metrics.",
    )
    early_stopping: EarlyStopping | None = Field(
        None,
        description="When to end a training whose `best_metric` no longer improves; null: never"
        " early.",
    )
    warm_start: bool = Field(
        False, description="Whether to start from the weights of the latest blessed model."
    )

    @model_validator(mode="after")
    def _check_best(self) -> "TrainSettings":
        best_of(self.best_metric, self.best_is, "best_is")
        return self

    @property
    def best(self) -> Best:
        """Whether the lowest or the highest value of `best_metric` is best."""
        return best_of(self.best_metric, self.best_is, "best_is")


class TrainerSettings(Section):
    """The settings that Transform and Trainer need."""

    task: Task = "multiclass"
    label: str
    positive: str | None = None
    weight: str | None = None
    features: dict[str, Feature]
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()

    @property
    def raw_types(self) -> dict[str, RawType]:
        """Raw columns that the model reads with their types, in the configuration's order."""
        return raw_types(self.features)

    @property
    def output_names(self) -> dict[str, str]:
        """Names in Transform's output of the features that are made beside a column's own."""
        return output_names(self.features, filter(None, (self.label, self.weight)))


def transform_settings(settings: TrainerSettings) -> dict[str, Any]:
    """Selects the settings that Transform depends on, as JSON; only these make it run again."""
    features = {
        name: feature.for_transform()
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
    """Replaces some settings and validates the result.

    Args:
        settings: A `TrainerSettings` as JSON; may lack the replaced settings. It is not changed.
        overrides: New value by key in the form of `dotted_keys`, such as `model.learning_rate`.

    Raises:
        pydantic.ValidationError: If a key is unknown or a value is not allowed.
    """
    data = copy.deepcopy(dict(settings))
    for key, value in overrides.items():
        *sections, name = split_key(key)[0]
        inner = data
        for section in sections:
            if not isinstance(inner.get(section), dict):  # absent, or null
                inner[section] = {}
            inner = inner[section]
        inner[name] = value
    return TrainerSettings.model_validate(data)
