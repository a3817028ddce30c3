"""The sections of `pipeline_config.yaml` that say how to run; the model's stand in the trainer."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from components.mlflow_tracker.client import hide_credentials
from trainer.config import FiniteFloat, FrozenList, Section, SettingError

Metric = Literal["accuracy", "cross_entropy", "precision", "recall"]
LOWER_IS_BETTER = frozenset({"cross_entropy"})
Runner = Literal[
    "DirectRunner", "PrismRunner", "PortableRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"
]


class PathsSettings(Section):
    """Where a run keeps its state."""

    root: str = Field(
        "artifacts",
        min_length=1,
        description="Folder of all that runs write; deleting it is a clean slate.",
    )


class SplitSettings(Section):
    """Shares of the rows, by a hash of the row."""

    train: FiniteFloat = Field(2, gt=0, description="Share of the rows to learn from.")
    eval: FiniteFloat = Field(1, gt=0, description="Share of the rows to judge the model by.")


class DataSettings(Section):
    """The CSV files and what is in them."""

    path: str = Field(min_length=1, description="A CSV file, or a folder of them (`*.csv`).")
    label: str = Field(min_length=1, description="Column to predict: words or whole numbers.")
    split: SplitSettings = SplitSettings()
    schema_path: str | None = Field(
        None,
        min_length=1,
        alias="schema",
        description="A reviewed schema (`schema.pbtxt`) to hold the data to; null infers one.",
    )


class Threshold(Section):
    """Bounds of a metric; the model is blessed only if every one of them holds."""

    min: FiniteFloat | None = Field(None, ge=0, description="Least value allowed.")
    max: FiniteFloat | None = Field(None, ge=0, description="Greatest value allowed.")
    max_worsening: FiniteFloat | None = Field(
        None, ge=0, description="How much worse than the latest blessed model it may be."
    )

    @model_validator(mode="after")
    def _says_something(self) -> "Threshold":
        if self.min is None and self.max is None and self.max_worsening is None:
            raise ValueError("needs at least one of min, max, max_worsening")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


def _as_columns(value: Any) -> Any:
    """A slice by one column may be written as that column's name alone."""
    return [value] if isinstance(value, str) else value


Slice = Annotated[tuple[str, ...], FrozenList, BeforeValidator(_as_columns), Field(min_length=1)]


class EvaluationSettings(Section):
    """What the model is judged by."""

    thresholds: dict[Metric, Threshold] = Field(
        min_length=1,
        description="Bounds by metric; `precision` and `recall` hold for each class.",
    )
    slices: Annotated[tuple[Slice, ...], FrozenList] = Field(
        (), description="Columns, or lists of columns, to break the metrics down by."
    )

    @field_validator("thresholds")
    @classmethod
    def _shares_are_at_most_one(
        cls, thresholds: dict[Metric, Threshold]
    ) -> dict[Metric, Threshold]:
        for metric, threshold in thresholds.items():
            for bound, value in threshold.model_dump(exclude_none=True).items():
                if metric not in LOWER_IS_BETTER and value > 1:
                    raise SettingError(
                        (metric, bound), f"{value:g} is not allowed: {metric} is at most 1"
                    )
        return thresholds


class PushSettings(Section):
    """Where blessed models go."""

    directory: str | None = Field(
        None,
        min_length=1,
        description="Folder of the pushed versions; null is `<paths.root>/serving/<name>`.",
    )


class MlflowSettings(Section):
    """Where runs are tracked."""

    tracking_uri: str | None = Field(
        None,
        min_length=1,
        description="MLflow store; null is `MLFLOW_TRACKING_URI`, else SQLite below `paths.root`.",
    )
    experiment: str | None = Field(
        None, min_length=1, description="MLflow experiment; null is `name`."
    )
    enabled: bool = Field(
        True, description="Whether runs are tracked; `pipeline sync` can write them later."
    )
    required: bool = Field(
        False, description="Whether a run that cannot be tracked is refused before it starts."
    )
    primary_metric: Literal["accuracy", "cross_entropy"] = Field(
        "accuracy", description="Metric by which MLflow's UI compares runs first."
    )
    system_metrics_seconds: FiniteFloat | None = Field(
        None, gt=0, description="Seconds between samples of processor, memory and disk; null: none."
    )

    @field_validator("tracking_uri")
    @classmethod
    def _has_no_credentials(cls, tracking_uri: str | None) -> str | None:
        if tracking_uri is not None and hide_credentials(tracking_uri) != tracking_uri:
            raise ValueError(
                "credentials belong in the environment: MLFLOW_TRACKING_USERNAME and"
                " MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_URI"
            )
        return tracking_uri


class BeamSettings(Section):
    """What processes the data."""

    runner: Runner = Field("DirectRunner", description="Beam runner of the data nodes.")
    args: Annotated[tuple[str, ...], FrozenList] = Field(
        (), description="Further Beam pipeline options, `--name=value` each."
    )

    @field_validator("args")
    @classmethod
    def _are_options(cls, args: tuple[str, ...]) -> tuple[str, ...]:
        for arg in args:
            if not arg.startswith("--") or arg.startswith("--runner"):
                raise ValueError(
                    f"'{arg}' is not an option of the form --name=value beside --runner"
                )
        return args
