"""The settings of a sweep: plain pydantic models, no TensorFlow."""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from trainer.settings.base import FiniteFloat, FrozenList, Section, SettingError
from trainer.settings.train import Best, best_of

MAX_TRIALS = 10**6
"""More trials than any sweep has time for."""

_Ends = Annotated[tuple[FiniteFloat, FiniteFloat], FrozenList]
_IntegerEnds = Annotated[tuple[int, int], FrozenList]


class Domain(Section):
    """The values that a setting may take in a sweep, said in one of four ways."""

    values: Annotated[tuple[Any, ...], FrozenList] | None = Field(
        None, min_length=1, description="These values, one by one."
    )
    uniform: _Ends | None = Field(None, description="Any number from low to high.")
    log_uniform: _Ends | None = Field(
        None, description="Any number from low to high, each order of magnitude alike."
    )
    integers: _IntegerEnds | None = Field(
        None, description="Whole numbers from low to high, both included."
    )

    @field_validator("uniform", "log_uniform", "integers")
    @classmethod
    def _rises(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends is not None and ends[0] >= ends[1]:
            raise ValueError(f"low {ends[0]:g} is not below high {ends[1]:g}")
        return ends

    @field_validator("log_uniform")
    @classmethod
    def _has_logarithms(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends is not None and ends[0] <= 0:
            raise ValueError(f"low {ends[0]:g} has no logarithm: must be greater than 0")
        return ends

    @field_validator("values")
    @classmethod
    def _differ(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        for index, value in enumerate(values or ()):
            if value in (values or ())[:index]:
                raise ValueError(f"{value!r} stands twice")
        return values

    @model_validator(mode="after")
    def _is_said_in_one_way(self) -> "Domain":
        kinds = self.model_dump(exclude_none=True)
        if len(kinds) != 1:
            raise ValueError("needs exactly one of values, uniform, log_uniform, integers")
        return self

    @property
    def kind(self) -> str:
        """Which of the four ways it is."""
        return next(iter(self.model_dump(exclude_none=True)))

    @property
    def bounds(self) -> tuple[Any, ...]:
        """All its values, or its two ends: what a setting must allow."""
        bounds: tuple[Any, ...] = getattr(self, self.kind)
        return bounds

    @property
    def size(self) -> float:
        """How many values there are, which may be infinitely many."""
        if self.values is not None:
            return len(self.values)
        return self.integers[1] - self.integers[0] + 1 if self.integers else math.inf


class TunerSettings(Section):
    """A sweep: many short trainings in search of the best settings for the Trainer."""

    method: Literal["random", "grid", "bayesian"] = Field(
        "random", description="How the trials' settings are chosen."
    )
    space: dict[str, Domain] = Field(
        min_length=1,
        description="Dotted setting of `model` or `train` to its values; one way of saying each.",
    )
    objective: str = Field(
        "loss",
        min_length=1,
        description="What the best trial is best in, on the eval split; a metric of the model.",
    )
    objective_is: Best | None = Field(
        None,
        description="Which value of `objective` is the best; null: known of the usual metrics.",
    )
    max_trials: int | None = Field(
        None, ge=1, le=MAX_TRIALS, description="Trials in all; null leaves it to `max_minutes`."
    )
    max_minutes: FiniteFloat | None = Field(
        None,
        gt=0,
        description="After so many minutes in trials, of all sessions, none begins; null sets no "
        "limit.",
    )
    stop_bad_trials: int | None = Field(
        5,
        ge=1,
        description="Once so many trials are complete, one whose best evaluation is worse than "
        "their median at the same step is stopped; null stops none.",
    )
    seed: int = Field(1, ge=1, lt=2**31, description="Seed of the choice of settings.")

    @field_validator("space", mode="before")
    @classmethod
    def _has_dotted_keys(cls, space: Any) -> Any:
        for key in ("model", "train"):
            if isinstance(space, dict) and key in space:
                raise SettingError((key,), f"must be one dotted key, {key}.<setting>")
        return space

    @model_validator(mode="after")
    def _best_is_known(self) -> "TunerSettings":
        best_of(self.objective, self.objective_is, "objective_is")
        return self

    @model_validator(mode="after")
    def _ends(self) -> "TunerSettings":
        if self.method == "grid":
            for key, domain in self.space.items():
                if math.isinf(domain.size):
                    raise SettingError(
                        ("space", key, domain.kind), "a grid needs values or integers"
                    )
        elif self.max_trials is None and self.max_minutes is None:
            raise ValueError("needs max_trials or max_minutes: only a grid ends by itself")
        return self

    @property
    def best(self) -> Best:
        """Which value of the objective is the best."""
        return best_of(self.objective, self.objective_is, "objective_is")

    @property
    def trial_limit(self) -> int:
        """The most trials there can be."""
        combinations = math.prod(domain.size for domain in self.space.values())
        return int(min(combinations, self.max_trials or MAX_TRIALS))

    def encode(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Writes a trial's settings as KerasTuner's hyperparameters, which are never lists.

        Those chosen from `values` become their JSON text.
        """
        return {
            key: value if self.space[key].values is None else json.dumps(value)
            for key, value in params.items()
        }


def decode(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the settings back from what `TunerSettings.encode` made of them."""
    return {
        key: json.loads(value if isinstance(value, str) else json.dumps(value))
        for key, value in hyperparameters.items()
    }
