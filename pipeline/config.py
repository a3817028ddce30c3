"""The configuration: what `pipeline_config.yaml` may say, as strict and frozen models."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from trainer.config import (
    FeatureKind,
    FiniteFloat,
    FrozenList,
    ModelSettings,
    Section,
    TrainerSettings,
    TrainSettings,
    is_column_name,
)

Metric = Literal["accuracy", "cross_entropy", "precision", "recall"]
METRICS: tuple[str, ...] = get_args(Metric)
_SQLITE = "sqlite:///"
LOWER_IS_BETTER = frozenset({"cross_entropy"})
Runner = Literal[
    "DirectRunner", "PrismRunner", "PortableRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"
]


class SettingError(ValueError):
    """A mistake found by comparing settings with each other.

    Attributes:
        key: Where the wrong one stands, below the section that found it.
    """

    def __init__(self, key: tuple[str, ...], message: str) -> None:
        """Keeps the key."""
        super().__init__(message)
        self.key = key


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


class Config(Section):
    """A whole `pipeline_config.yaml`."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=63,
        description="Name of the pipeline, its MLflow experiment and its served model.",
    )
    paths: PathsSettings = PathsSettings()
    data: DataSettings
    features: dict[str, FeatureKind] = Field(
        min_length=1,
        description="Columns the model reads, each with its kind: `numeric` (z-score).",
    )
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()
    evaluation: EvaluationSettings
    push: PushSettings = PushSettings()
    mlflow: MlflowSettings = MlflowSettings()
    beam: BeamSettings = BeamSettings()
    cache: bool = Field(
        True, description="Whether a node whose inputs, settings and code are unchanged is skipped."
    )

    _base_dir: Path = PrivateAttr(default_factory=Path.cwd)
    _overrides: tuple[str, ...] = PrivateAttr(default=())

    def located(self, base_dir: Path, overrides: Sequence[str] = ()) -> "Config":
        """Gives the same configuration, told where it came from.

        Args:
            base_dir: Folder at which its relative paths start.
            overrides: The `key=value` settings that differ from its file.
        """
        config = self.model_copy()
        config._base_dir = base_dir
        config._overrides = tuple(overrides)
        return config

    @property
    def overrides(self) -> tuple[str, ...]:
        """The `key=value` settings that differ from the YAML file."""
        return self._overrides

    @model_validator(mode="after")
    def _columns_fit(self) -> "Config":
        for column in self.features:
            if column == self.data.label:
                raise SettingError(("features", column), "the label cannot be a feature")
            if not is_column_name(column):
                raise SettingError(
                    ("features", column),
                    "must be of letters, digits and ._-/ and begin with a letter or digit, since it"
                    " names an input of the served model",
                )
        return self

    def resolve(self, path: str) -> Path:
        """Makes a path absolute: relative ones start at the YAML file's folder."""
        return (self._base_dir / Path(path).expanduser()).resolve()

    @property
    def root_dir(self) -> Path:
        """The state folder."""
        return self.resolve(self.paths.root)

    @property
    def data_path(self) -> Path:
        """The CSV file or folder."""
        return self.resolve(self.data.path)

    @property
    def push_dir(self) -> Path:
        """The folder of the pushed versions."""
        if self.push.directory is None:
            return self.root_dir / "serving" / self.name
        return self.resolve(self.push.directory)

    @property
    def experiment(self) -> str:
        """The MLflow experiment."""
        return self.mlflow.experiment or self.name

    @property
    def tracking_uri(self) -> str:
        """The MLflow store: the configured, the environment's, or SQLite in the state folder."""
        uri = self.mlflow.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI", "")
        if not uri:
            return f"{_SQLITE}{self.root_dir / 'mlflow.db'}"
        if uri.startswith(_SQLITE):
            return f"{_SQLITE}{self.resolve(uri.removeprefix(_SQLITE))}"
        return uri

    @property
    def trainer_settings(self) -> TrainerSettings:
        """What the Trainer is told."""
        return TrainerSettings(
            label=self.data.label, features=self.features, model=self.model, train=self.train
        )

    def to_yaml(self) -> str:
        """Writes every setting in force, in the form of the YAML file, passwords in URIs hidden."""
        text: str = yaml.safe_dump(self._shown(), sort_keys=False)
        return text

    def flatten(self) -> dict[str, Any]:
        """Gives every setting by its dotted key, passwords in URIs hidden."""
        return dict(_flatten("", self._shown()))

    def _shown(self) -> dict[str, Any]:
        values = self.model_dump(mode="json", by_alias=True)
        values["mlflow"]["tracking_uri"] = hide_password(self.mlflow.tracking_uri)
        return values


def hide_password(uri: str | None) -> str | None:
    """Replaces user and password in a URI, if it has them."""
    return uri and re.sub(r"//[^/@]*@", "//***@", uri)


def _flatten(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flatten(f"{prefix}.{key}" if prefix else key, item)
    else:
        yield prefix, value


def section_at(key: Sequence[str]) -> type[BaseModel]:
    """Finds the innermost section that a dotted key leads into, the whole configuration if none."""
    section: type[BaseModel] = Config
    for part in key:
        for name, field in section.model_fields.items():
            if (field.alias or name) == part:
                section = section_in(field.annotation) or section
    return section


def section_in(annotation: Any) -> type[BaseModel] | None:
    """Picks the section out of a field's type, be it the section itself or a dict of sections."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
