"""The sections of `pipeline_config.yaml` that say how to run; the model's stand in the trainer."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from tracking.uris import hide_credentials
from trainer.settings.base import FiniteFloat, FrozenList, Section, SettingError
from trainer.settings.train import Task

METRICS: Mapping[Task, tuple[str, ...]] = {
    "multiclass": ("accuracy", "cross_entropy", "precision", "recall", "auc"),
    "binary": ("accuracy", "cross_entropy", "precision", "recall", "auc"),
    "regression": ("rmse", "mse", "mae", "r2"),
}
"""What a model of each task can be held to, the first being the one to compare runs by."""
Metric = Literal[
    "accuracy", "cross_entropy", "precision", "recall", "auc", "rmse", "mse", "mae", "r2"
]
LOWER_IS_BETTER = frozenset({"cross_entropy", "rmse", "mse", "mae"})
Runner = Literal[
    "auto",
    "DirectRunner",
    "PrismRunner",
    "PortableRunner",
    "FlinkRunner",
    "SparkRunner",
    "DataflowRunner",
]


Distance = Annotated[FiniteFloat, Field(ge=0, le=1)]


class PathsSettings(Section):
    """Where a run keeps its state."""

    root: str = Field(
        "artifacts",
        min_length=1,
        description="Folder of all that runs write; deleting it is a clean slate.",
    )


class Threshold(Section):
    """Bounds of a metric; the model is blessed only if every one of them holds."""

    min: FiniteFloat | None = Field(None, description="Least value allowed.")
    max: FiniteFloat | None = Field(None, description="Greatest value allowed.")
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
        description="Bounds by metric; of several classes, `precision`, `recall` and `auc` hold for"
        " each.",
    )
    slices: Annotated[tuple[Slice, ...], FrozenList] = Field(
        (), description="Columns, or lists of columns, to break the metrics down by."
    )

    @field_validator("thresholds")
    @classmethod
    def _are_in_range(cls, thresholds: dict[Metric, Threshold]) -> dict[Metric, Threshold]:
        for metric, threshold in thresholds.items():
            for bound, value in threshold.model_dump(exclude_none=True).items():
                if metric not in LOWER_IS_BETTER and value > 1:
                    rule = f"{metric} is at most 1"
                elif metric != "r2" and value < 0:
                    rule = f"{metric} is at least 0"
                else:
                    continue
                raise SettingError((metric, bound), f"{value:g} is not allowed: {rule}")
        return thresholds


class SkewSettings(Section):
    """A set of rows, as of what the model is asked in production, to compare the data with."""

    path: str = Field(min_length=1, description="A CSV file or folder of them.")
    columns: dict[str, Distance] = Field(
        default_factory=dict,
        description="Greatest distance allowed, by column; `*` stands for all others.",
    )


class ValidationSettings(Section):
    """What is wrong with the data that a run may go on with."""

    stop_at: Literal["warning", "error", "never"] = Field(
        "error", description="Severity of an anomaly that stops a run; `never`: a run only warns."
    )
    drift: dict[str, Distance] = Field(
        default_factory=dict,
        description="Greatest distance to the previous span, by column (`*`: all others):"
        " L-infinity of words, Jensen-Shannon of numbers.",
    )
    skew: SkewSettings | None = Field(
        None, description="The same against a named set of rows; null: none."
    )


class PushSettings(Section):
    """Where blessed models go."""

    directory: str | None = Field(
        None,
        min_length=1,
        description="Folder of the pushed versions; null is `<paths.root>/serving/<name>`.",
    )
    check_rows: int = Field(
        100,
        ge=1,
        le=100_000,
        description="Examples that every signature of the model must answer alike before a push.",
    )
    tolerance: FiniteFloat = Field(
        1e-6, ge=0, description="By how much the answers may differ, in relation to their size."
    )
    max_milliseconds: FiniteFloat | None = Field(
        None, gt=0, description="Time that the model may take for one row; null: any."
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
    primary_metric: Metric | None = Field(
        None,
        description="Metric by which MLflow's UI compares runs first; null is `accuracy`, of a"
        " regression `rmse`.",
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

    runner: Runner = Field(
        "auto",
        description="Beam runner of the data nodes; `auto` works inside this process, or for much"
        " data in many files on many processors by worker processes of it.",
    )
    args: Annotated[tuple[str, ...], FrozenList] = Field(
        (), description="Further Beam pipeline options, `--name=value` each."
    )

    @property
    def pipeline_args(self) -> list[str]:
        """The options of a Beam pipeline.

        Those of `auto` name the runner that Beam's DirectRunner ends up with. That one first tries
        to download another, Prism, and translates every pipeline for it: half a second for each,
        and where the network allows it, a program that nobody has asked for.

        One worker inside this process costs least: threads beside it read and decode files, and
        compress what is written. `pipeline.graph.beam_runner` adds worker processes for an input
        so large that they pay.

        The types that pipelines declare are not checked again in each run, which saves another
        half second.

        With any options, TFX packs itself for remote workers, about four seconds for each data
        node, unless it is told what the workers have; those of this process have all of it.
        """
        match self.runner:
            case "auto":
                chosen = [
                    "--runner=FnApiRunner",
                    "--sdk_container_image=none",
                    "--no_pipeline_type_check",
                ]
            case "DirectRunner":  # Beam's default; with no option at all TFX packs nothing
                chosen = []
            case runner:
                chosen = [f"--runner={runner}"]
        return [*chosen, *self.args]

    @field_validator("args")
    @classmethod
    def _are_options(cls, args: tuple[str, ...]) -> tuple[str, ...]:
        for arg in args:
            if not arg.startswith("--") or arg.startswith("--runner"):
                raise ValueError(
                    f"'{arg}' is not an option of the form --name=value beside --runner"
                )
        return args
