"""The settings of the model; no TensorFlow."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from trainer.settings.base import DottedPath, FiniteFloat, FrozenList, Section, SettingError

MAX_STEPS = 10**9
"""More steps or rows than any training has: catches a slipped digit."""

Optimizer = Literal["adagrad", "adam", "ftrl", "rmsprop", "sgd"]
Premade = Literal[
    "DNNClassifier",
    "DNNRegressor",
    "LinearClassifier",
    "LinearRegressor",
    "DNNLinearCombinedClassifier",
    "DNNLinearCombinedRegressor",
]
ModelType = Literal["dnn", "linear", "wide_deep"] | Premade


class Schedule(Section):
    """How the learning rate falls while the model trains."""

    kind: Literal["exponential", "cosine", "piecewise"] = Field(
        description="`exponential`: times `rate` every `steps`; `cosine`: to 0 after `steps`;"
        " `piecewise`: times `rate` at each of `boundaries`."
    )
    steps: int | None = Field(
        None,
        ge=1,
        le=MAX_STEPS,
        description="Of `exponential` and `cosine`; null is `train.steps`.",
    )
    rate: FiniteFloat = Field(
        0.1, gt=0, lt=1, description="Factor of `exponential` and `piecewise`."
    )
    boundaries: Annotated[tuple[Annotated[int, Field(ge=1, le=MAX_STEPS)], ...], FrozenList] = (
        Field((), description="Steps of `piecewise`, rising.")
    )

    @model_validator(mode="after")
    def _boundaries_fit(self) -> "Schedule":
        if (self.kind == "piecewise") != bool(self.boundaries):
            raise ValueError("boundaries are those of piecewise, which needs some")
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries must rise: {list(self.boundaries)}")
        return self


class ModelSettings(Section):
    """The model and what it learns with."""

    type: ModelType = Field(
        "dnn",
        description="`dnn`: fully connected layers; `linear`; `wide_deep`: both, the linear part"
        " on what is numbered; or one of TensorFlow's premade Estimators.",
    )
    hidden_units: Annotated[
        tuple[Annotated[int, Field(ge=1, le=100_000)], ...], FrozenList, Field(min_length=1)
    ] = Field((10, 10), description="Units of each hidden layer, first to last.")
    activation: Literal["relu", "elu", "selu", "tanh", "sigmoid", "swish"] = Field(
        "relu", description="Of each hidden unit."
    )
    dropout: FiniteFloat = Field(
        0, ge=0, lt=1, description="Share of hidden units left out of each training step."
    )
    batch_norm: bool = Field(
        False, description="Whether each hidden layer is normalized over the batch."
    )
    l1: FiniteFloat = Field(
        0, ge=0, description="Weight in the loss of the sum of the sizes of all weights."
    )
    l2: FiniteFloat = Field(
        0, ge=0, description="Weight in the loss of half the sum of their squares."
    )
    clip_gradients: FiniteFloat | None = Field(
        None, gt=0, description="Greatest norm of the gradient over all weights; null: no limit."
    )
    optimizer: Optimizer = Field("adagrad", description="What minimizes the loss.")
    learning_rate: FiniteFloat = Field(0.1, gt=0, description="Step size of the optimizer.")
    momentum: FiniteFloat = Field(0, ge=0, lt=1, description="Of `sgd` and `rmsprop`.")
    schedule: Schedule | None = Field(
        None, description="How the learning rate falls; null: it does not."
    )
    model_fn: DottedPath | None = Field(
        None,
        description="An own `model_fn`, `my_package.my_module.my_model_fn`, in place of `type`.",
    )
    params: dict[str, Any] = Field(
        default_factory=dict,
        description="What `model_fn` finds in its `params`, beside `feature_columns`, `n_classes`,"
        " `classes`, and the settings of this section.",
    )
    preprocessing_fn: DottedPath | None = Field(
        None, description="An own `preprocessing_fn` in place of the one that `features` describe."
    )
    seed: int = Field(
        1,
        ge=0,
        lt=2**31,
        description="Seed of initial weights and shuffling: same seed, same model.",
    )

    @model_validator(mode="after")
    def _settings_fit(self) -> "ModelSettings":
        if self.momentum and self.optimizer not in ("sgd", "rmsprop"):
            raise SettingError(("momentum",), f"is of sgd and rmsprop, not of {self.optimizer}")
        if self.params and self.model_fn is None:
            raise SettingError(("params",), "are for an own model_fn: set model_fn as well")
        return self
