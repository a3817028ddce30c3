"""Settings of a hyperparameter sweep; imports no TensorFlow."""

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
    """The values of one setting to search, given in one of four forms."""

    values: Annotated[tuple[Any, ...], FrozenList] | None = Field(
        None, min_length=1, description="A list of values."
    )
    uniform: _Ends | None = Field(None, description="Any number from low to high, `[low, high]`.")
    log_uniform: _Ends | None = Field(
        None,
        description="Any number from low to high, `[low, high]`, with the same probability for"
        " every order of magnitude.",
    )
    integers: _IntegerEnds | None = Field(
        None, description="Whole numbers from low to high, `[low, high]`, both included."
    )

    @field_validator("uniform", "log_uniform", "integers")
    @classmethod
    def _check_order(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends is not None and ends[0] >= ends[1]:
            raise ValueError(f"low {ends[0]:g} is not below high {ends[1]:g}")
        return ends

    @field_validator("log_uniform")
    @classmethod
    def _check_positive(cls, ends: tuple[float, float] | None) -> tuple[float, float] | None:
        if ends is not None and ends[0] <= 0:
            raise ValueError(f"low {ends[0]:g} must be greater than 0 for a logarithmic scale")
        return ends

    @field_validator("values")
    @classmethod
    def _check_values_differ(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        for index, value in enumerate(values or ()):
            if value in (values or ())[:index]:
                raise ValueError(f"{value!r} is listed twice")
        return values

    @model_validator(mode="after")
    def _check_one_form(self) -> "Domain":
        kinds = self.model_dump(exclude_none=True)
        if len(kinds) != 1:
            raise ValueError("needs exactly one of values, uniform, log_uniform, integers")
        return self

    @property
    def kind(self) -> str:
        """Name of the form in use: `values`, `uniform`, `log_uniform` or `integers`."""
        return next(iter(self.model_dump(exclude_none=True)))

    @property
    def bounds(self) -> tuple[Any, ...]:
        """The listed values, or low and high; the setting must allow each of them."""
        bounds: tuple[Any, ...] = getattr(self, self.kind)
        return bounds

    @property
    def size(self) -> float:
        """Number of values; infinite for `uniform` and `log_uniform`."""
        if self.values is not None:
            return len(self.values)
        return self.integers[1] - self.integers[0] + 1 if self.integers else math.inf


class TunerSettings(Section):
    """A sweep: many trainings in search of the best settings for the Trainer."""

    method: Literal["random", "grid", "bayesian"] = Field(
        "random",
        description="How settings are chosen: at `random`; every combination of a `grid`; or by a"
        " Gaussian process that learns from earlier trials (`bayesian`).",
    )
    space: dict[str, Domain] = Field(
        min_length=1,
        description="Values to search, by dotted key of a setting of `model` or `train`, such as"
        " `model.learning_rate`.",
    )
    objective: str = Field(
        "loss",
        min_length=1,
        description="Metric of the eval split that decides which trial is best.",
    )
    objective_is: Best | None = Field(
        None,
        description="Whether the lowest (`min`) or the highest (`max`) value of `objective` is"
        " best; null: looked up, for well-known metrics.",
    )
    max_trials: int | None = Field(
        None,
        ge=1,
        le=MAX_TRIALS,
        description="Largest number of trials; null: only `max_minutes` limits them.",
    )
    max_minutes: FiniteFloat | None = Field(
        None,
        gt=0,
        description="No trial begins once all trials together, those before an interruption"
        " included, have taken this many minutes; null: no limit.",
    )
    stop_bad_trials: int | None = Field(
        5,
        ge=1,
        description="Once this many trials are complete, a trial is stopped if its best evaluation"
        " so far is worse than the median of theirs at the same step; null: no trial is stopped.",
    )
    seed: int = Field(1, ge=1, lt=2**31, description="Seed for choosing the settings of trials.")

    @field_validator("space", mode="before")
    @classmethod
    def _check_keys_are_dotted(cls, space: Any) -> Any:
        for key in ("model", "train"):
            if isinstance(space, dict) and key in space:
                raise SettingError((key,), f"must be one dotted key, {key}.<setting>")
        return space

    @model_validator(mode="after")
    def _check_best(self) -> "TunerSettings":
        best_of(self.objective, self.objective_is, "objective_is")
        return self

    @model_validator(mode="after")
    def _check_limits(self) -> "TunerSettings":
        if self.method == "grid":
            for key, domain in self.space.items():
                if math.isinf(domain.size):
                    raise SettingError(
                        ("space", key, domain.kind), "a grid needs values or integers"
                    )
        elif self.max_trials is None and self.max_minutes is None:
            raise ValueError(f"{self.method} search needs max_trials or max_minutes to end")
        return self

    @property
    def best(self) -> Best:
        """Whether the lowest or the highest value of the objective is best."""
        return best_of(self.objective, self.objective_is, "objective_is")

    @property
    def trial_limit(self) -> int:
        """Largest possible number of trials."""
        combinations = math.prod(domain.size for domain in self.space.values())
        return int(min(combinations, self.max_trials or MAX_TRIALS))

    def encode(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Converts a trial's settings to KerasTuner's hyperparameters, which cannot be lists.

        Settings chosen from `values` become JSON text; numbers chosen from a range stay as they
        are.
        """
        return {
            key: value if self.space[key].values is None else json.dumps(value)
            for key, value in params.items()
        }


def decode(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Reverses `TunerSettings.encode`."""
    return {
        key: json.loads(value if isinstance(value, str) else json.dumps(value))
        for key, value in hyperparameters.items()
    }
