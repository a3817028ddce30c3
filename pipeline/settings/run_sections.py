"""The sections of `pipeline_config.yaml` on running; `trainer.settings` has those of the model."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator

from trainer.settings.base import FiniteFloat, FrozenList, Section, SettingError
from trainer.settings.train import Task

METRICS: Mapping[Task, tuple[str, ...]] = {
    "multiclass": ("accuracy", "cross_entropy", "precision", "recall", "auc"),
    "binary": ("accuracy", "cross_entropy", "precision", "recall", "auc"),
    "regression": ("rmse", "mse", "mae", "r2"),
}
"""The metrics of each task that can have thresholds; runs are compared by the first."""
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
    """The folder of all that runs write."""

    root: str = Field(
        "artifacts",
        min_length=1,
        description="Folder of all that runs write; deleting it is a clean slate.",
    )


class Threshold(Section):
    """Bounds of a metric; the model is blessed only if all of them hold."""

    min: FiniteFloat | None = Field(None, description="Lowest value allowed.")
    max: FiniteFloat | None = Field(None, description="Highest value allowed.")
    max_worsening: FiniteFloat | None = Field(
        None,
        ge=0,
        description="How much worse the metric may be than that of the latest blessed model.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> "Threshold":
        if self.min is None and self.max is None and self.max_worsening is None:
            raise ValueError("needs at least one of min, max, max_worsening")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


def _as_columns(value: Any) -> Any:
    """Makes a list of a column's name, which is short for a slice by that column."""
    return [value] if isinstance(value, str) else value


Slice = Annotated[tuple[str, ...], FrozenList, BeforeValidator(_as_columns), Field(min_length=1)]


class EvaluationSettings(Section):
    """Thresholds and slices of the evaluation."""

    thresholds: dict[Metric, Threshold] = Field(
        min_length=1,
        description="Bounds by metric; with several classes, those of `precision`, `recall` and"
        " `auc` hold for each class.",
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
    """Rows to compare the data with, such as requests to the served model."""

    path: str = Field(min_length=1, description="A CSV file, or a folder of them.")
    columns: dict[str, Distance] = Field(
        default_factory=dict,
        description="Highest distance allowed, by column; `*` stands for all others.",
    )


class ValidationSettings(Section):
    """Which anomalies of the data stop a run."""

    stop_at: Literal["warning", "error", "never"] = Field(
        "error", description="Lowest severity of an anomaly that stops a run; `never`: none does."
    )
    drift: dict[str, Distance] = Field(
        default_factory=dict,
        description="Highest distance to the previous span, by column (`*`: all others):"
        " L-infinity for words, Jensen-Shannon for numbers.",
    )
    skew: SkewSettings | None = Field(
        None, description="The same for the distance to a given set of rows; null: none."
    )


class PushSettings(Section):
    """The folder of pushed models, and the check before a push."""

    directory: str | None = Field(
        None,
        min_length=1,
        description="Folder of the pushed versions; null: `<paths.root>/serving/<name>`.",
    )
    check_rows: int = Field(
        100,
        ge=1,
        le=100_000,
        description="Examples for which all signatures must predict the same before a push.",
    )
    tolerance: FiniteFloat = Field(
        1e-5,
        ge=0,
        description="Relative difference that these predictions may have. Sums over a thousand"
        " features in float32 differ by some 1e-6 between one row and many.",
    )
    max_milliseconds: FiniteFloat | None = Field(
        None, gt=0, description="Time that the model may take for one row; null: any."
    )


class MlflowSettings(Section):
    """The MLflow store, and whether runs need it."""

    tracking_uri: str | None = Field(
        None,
        min_length=1,
        description="MLflow store; null: `MLFLOW_TRACKING_URI`, else SQLite in `paths.root`.",
    )
    experiment: str | None = Field(
        None, min_length=1, description="MLflow experiment; null: `name`."
    )
    enabled: bool = Field(
        True, description="Whether runs are tracked; `pipeline sync` can write them later."
    )
    required: bool = Field(
        False, description="Whether a run that cannot be tracked is refused before it starts."
    )
    primary_metric: Metric | None = Field(
        None,
        description="Metric by which MLflow's UI compares runs first; null: `accuracy`, or `rmse`"
        " for a regression.",
    )
    system_metrics_seconds: FiniteFloat | None = Field(
        None, gt=0, description="Seconds between samples of processor, memory and disk; null: none."
    )

    @field_validator("tracking_uri")
    @classmethod
    def _has_no_credentials(cls, tracking_uri: str | None) -> str | None:
        if tracking_uri is not None and "@" in urlsplit(tracking_uri).netloc:
            raise ValueError(
                "credentials belong in the environment: MLFLOW_TRACKING_USERNAME and"
                " MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_URI"
            )
        return tracking_uri


class BeamSettings(Section):
    """The Beam runner of the data nodes and its options."""

    runner: Runner = Field(
        "auto",
        description="Beam runner of the data nodes; `auto` works inside this process, or in worker"
        " processes for much data in many files on many processors.",
    )
    args: Annotated[tuple[str, ...], FrozenList] = Field(
        (), description="Further Beam pipeline options, `--name=value` each."
    )

    @property
    def pipeline_args(self) -> list[str]:
        """The options of a Beam pipeline.

        `auto` names the runner that Beam's DirectRunner falls back to. DirectRunner itself first
        tries to download another runner, Prism, and translates every pipeline for it, which takes
        half a second for each pipeline and, if the network allows it, installs a program that the
        user did not ask for.

        One worker inside this process costs least: threads read and decode files, and compress
        the output. `pipeline.graph.beam_runner` adds worker processes if the input is so large
        that they are faster.

        The declared types of pipelines are not checked in each run, which saves half a second.

        With any options, TFX packs itself for remote workers, about four seconds for each data
        node, unless a container image is named. Workers of this process need no package.
        """
        match self.runner:
            case "auto":
                chosen = [
                    "--runner=FnApiRunner",
                    "--sdk_container_image=none",
                    "--no_pipeline_type_check",
                ]
            case "DirectRunner":  # Beam's default; without any option TFX packs nothing
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
