"""Settings of the model; imports no TensorFlow."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from trainer.settings.base import DottedPath, FiniteFloat, FrozenList, Section, SettingError

MAX_STEPS = 10**9
"""More steps or rows than any training has; catches a mistyped number."""

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
    """How the learning rate decreases during training."""

    kind: Literal["exponential", "cosine", "piecewise"] = Field(
        description="`exponential`: multiplied by `rate` every `steps`, continuously; `cosine`:"
        " decreases to 0 over `steps`; `piecewise`: multiplied by `rate` at each of `boundaries`."
    )
    steps: int | None = Field(
        None,
        ge=1,
        le=MAX_STEPS,
        description="Number of steps for `exponential` and `cosine`; null: `train.steps`.",
    )
    rate: FiniteFloat = Field(
        0.1, gt=0, lt=1, description="Factor for `exponential` and `piecewise`."
    )
    boundaries: Annotated[tuple[Annotated[int, Field(ge=1, le=MAX_STEPS)], ...], FrozenList] = (
        Field((), description="Increasing steps at which `piecewise` multiplies by `rate`.")
    )

    @model_validator(mode="after")
    def _check_boundaries(self) -> "Schedule":
        if self.kind == "piecewise" and not self.boundaries:
            raise ValueError("piecewise needs boundaries")
        if self.kind != "piecewise" and self.boundaries:
            raise ValueError(f"boundaries need kind: piecewise, not {self.kind}")
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries must increase: {list(self.boundaries)}")
        return self


class ModelSettings(Section):
    """The model and its optimizer."""

    type: ModelType = Field(
        "dnn",
        description="`dnn`: fully connected layers; `linear`: a linear model; `wide_deep`: the sum"
        " of both, with the linear part on features that have ids; or the name of one of"
        " TensorFlow's premade Estimators.",
    )
    hidden_units: Annotated[
        tuple[Annotated[int, Field(ge=1, le=100_000)], ...], FrozenList, Field(min_length=1)
    ] = Field((10, 10), description="Units of each hidden layer, first to last.")
    activation: Literal["relu", "elu", "selu", "tanh", "sigmoid", "swish"] = Field(
        "relu", description="Activation function of the hidden layers."
    )
    dropout: FiniteFloat = Field(
        0,
        ge=0,
        lt=1,
        description="Fraction of hidden units set to 0 at random in each training step.",
    )
    batch_norm: bool = Field(
        False, description="Whether to apply batch normalization in each hidden layer."
    )
    l1: FiniteFloat = Field(
        0,
        ge=0,
        description="L1 regularization: factor of the sum of all weights' absolute values.",
    )
    l2: FiniteFloat = Field(
        0,
        ge=0,
        description="L2 regularization: factor of half the sum of all weights' squares.",
    )
    clip_gradients: FiniteFloat | None = Field(
        None,
        gt=0,
        description="Largest norm of the gradient over all weights; a larger gradient is scaled"
        " down to it. Null: no limit.",
    )
    optimizer: Optimizer = Field("adagrad", description="Optimizer that minimizes the loss.")
    learning_rate: FiniteFloat = Field(0.1, gt=0, description="Step size of the optimizer.")
    momentum: FiniteFloat = Field(
        0, ge=0, lt=1, description="Momentum of the optimizers `sgd` and `rmsprop`."
    )
    schedule: Schedule | None = Field(
        None, description="How the learning rate decreases; null: it stays constant."
    )
    model_fn: DottedPath | None = Field(
        None,
        description="Dotted path of a `model_fn` of your own, such as"
        " `my_package.my_module.my_model_fn`, used instead of `type`.",
    )
    params: dict[str, Any] = Field(
        default_factory=dict,
        description="Additional `params` for your `model_fn`, which also gets `feature_columns`,"
        " `n_classes`, `classes` and the settings of this section.",
    )
    preprocessing_fn: DottedPath | None = Field(
        None,
        description="Dotted path of a `preprocessing_fn` of your own, used instead of the one that"
        " `features` describe.",
    )
    seed: int = Field(
        1,
        ge=0,
        lt=2**31,
        description="Seed of initial weights and shuffling; the same seed gives the same model.",
    )

    @model_validator(mode="after")
    def _check_dependencies(self) -> "ModelSettings":
        if self.momentum and self.optimizer not in ("sgd", "rmsprop"):
            raise SettingError(
                ("momentum",), f"needs optimizer: sgd or rmsprop, not {self.optimizer}"
            )
        if self.params and self.model_fn is None:
            raise SettingError(
                ("params",), "are only for a model_fn of your own: set model.model_fn as well"
            )
        return self
