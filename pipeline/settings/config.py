"""The configuration: strict and frozen models of `pipeline_config.yaml`."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import yaml
from pydantic import BaseModel, Field, PrivateAttr, model_validator

from pipeline.settings.check_features import check_features
from pipeline.settings.check_search_space import check_space
from pipeline.settings.data import DataSettings
from pipeline.settings.run_sections import (
    METRICS,
    BeamSettings,
    EvaluationSettings,
    MlflowSettings,
    PathsSettings,
    PushSettings,
    ValidationSettings,
)
from serving.settings import ServingSettings
from tabular.csv.file_patterns import ALL
from trainer.settings.base import Section, SettingError
from trainer.settings.dotted_keys import join_key, split_key
from trainer.settings.features import Feature, Features
from trainer.settings.model import ModelSettings
from trainer.settings.train import Task, TrainerSettings, TrainSettings
from trainer.settings.tuner import TunerSettings

if TYPE_CHECKING:
    from tabular.csv.checked_files import CheckedFiles  # imports PyArrow

_SQLITE = "sqlite:///"


class Config(Section):
    """All settings of a `pipeline_config.yaml`."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        max_length=63,
        description="Name of the pipeline, its MLflow experiment and its served model.",
    )
    paths: PathsSettings = PathsSettings()
    task: Task = Field(
        "multiclass",
        description="What is predicted: one of several classes, one of two, or a number.",
    )
    data: DataSettings
    validation: ValidationSettings = ValidationSettings()
    features: Features = Field(
        description="Columns the model reads, each with its kind, or with a kind and its settings;"
        ' `auto` for all, or `"*": auto` for those not named, chooses by the data.',
    )
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()
    tuner: TunerSettings | None = Field(
        None, description="A sweep that finds settings for the Trainer; null: none."
    )
    evaluation: EvaluationSettings
    push: PushSettings = PushSettings()
    mlflow: MlflowSettings = MlflowSettings()
    beam: BeamSettings = BeamSettings()
    serving: ServingSettings = ServingSettings()
    cache: bool = Field(
        True, description="Whether a node whose inputs, settings and code are unchanged is skipped."
    )

    _base_dir: Path = PrivateAttr(default_factory=Path.cwd)
    _overrides: tuple[str, ...] = PrivateAttr(default=())
    _notes: tuple[str, ...] = PrivateAttr(default=())
    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _checked: "CheckedFiles | None" = PrivateAttr(default=None)
    _checked_skew: "CheckedFiles | None" = PrivateAttr(default=None)

    def located(self, base_dir: Path, overrides: Sequence[str] = ()) -> "Config":
        """Returns a copy that knows where it came from.

        Args:
            base_dir: Folder at which its relative paths start.
            overrides: The `key=value` settings that replaced some of its file.
        """
        config = self.model_copy()
        config._base_dir = base_dir
        config._overrides = tuple(overrides)
        return config

    def resolved(self, features: Mapping[str, Feature], notes: Sequence[str]) -> "Config":
        """Returns a copy with the features that were chosen by the data.

        Args:
            features: The features, none of them `auto`.
            notes: Sentences for the user about the choice.
        """
        config = self.model_copy(update={"features": dict(features)})
        config._notes = tuple(notes)
        return config

    def with_checked_files(
        self,
        checked: "CheckedFiles",
        checked_skew: "CheckedFiles | None",
        warnings: Sequence[str] = (),
    ) -> "Config":
        """Returns a copy that knows what is in its files.

        Args:
            checked: The files of `data`, checked.
            checked_skew: The files of `validation.skew`, checked; None if there are none.
            warnings: What a person should look at in `data`, a line each.
        """
        config = self.model_copy()
        config._warnings = tuple(warnings)
        config._checked = checked
        config._checked_skew = checked_skew
        return config

    @property
    def checked_files(self) -> "CheckedFiles":
        """The files of `data`, checked; known only after `prepare`."""
        assert self._checked is not None, "the data has not been checked: call prepare first"
        return self._checked

    @property
    def checked_skew_files(self) -> "CheckedFiles":
        """The files of `validation.skew`, checked; known only after `prepare`."""
        assert self._checked_skew is not None, "the data has not been checked: call prepare first"
        return self._checked_skew

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about the features that were chosen by the data."""
        return self._notes

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at in the data, a line each; known only after `prepare`."""
        return self._warnings

    @property
    def overrides(self) -> tuple[str, ...]:
        """The `key=value` settings that replaced some of the YAML file."""
        return self._overrides

    @model_validator(mode="after")
    def _features_fit(self) -> "Config":
        check_features(self.features, self.data.label, self.data.weight)
        return self

    @model_validator(mode="after")
    def _task_fits(self) -> "Config":
        allowed = METRICS[self.task]
        named = [("evaluation", "thresholds", metric) for metric in self.evaluation.thresholds]
        if self.mlflow.primary_metric is not None:
            named.append(("mlflow", "primary_metric", self.mlflow.primary_metric))
        for *section, key, metric in named:
            if metric not in allowed:
                place = (*section, key, metric) if key == "thresholds" else (*section, key)
                raise SettingError(
                    place, f"'{metric}' is not a {self.task} metric (allowed: {', '.join(allowed)})"
                )
        if self.data.positive is not None and self.task != "binary":
            raise SettingError(
                ("data", "positive"), f"is only for binary tasks, not for {self.task}"
            )
        if self.train.class_weights is not None and self.task == "regression":
            raise SettingError(("train", "class_weights"), "a regression has no classes")
        wrong = "Classifier" if self.task == "regression" else "Regressor"
        if self.model.type.endswith(wrong):
            raise SettingError(("model", "type"), f"'{self.model.type}' is not for {self.task}")
        return self

    @model_validator(mode="after")
    def _space_fits(self) -> "Config":
        if self.tuner is not None:
            check_space(self.tuner, self.trainer_settings)
        return self

    def resolve(self, path: str) -> Path:
        """Makes a path absolute; a relative one starts at the YAML file's folder."""
        return (self._base_dir / Path(path).expanduser()).resolve()

    @property
    def root_dir(self) -> Path:
        """The state folder."""
        return self.resolve(self.paths.root)

    @property
    def pipeline_root(self) -> Path:
        """The folder of the artifacts."""
        return self.root_dir / "pipeline_root" / self.name

    @property
    def data_paths(self) -> dict[str, Path]:
        """The CSV file or folder of each split, or of `all`; may hold `{SPAN}` and the like."""
        files = self.data.files
        if files is None:
            return {ALL: self.resolve(self.data.path or "")}
        return {split: self.resolve(getattr(files, split)) for split in self.data.splits}

    @property
    def data_path(self) -> Path:
        """The CSV file or folder, or the folder above all of them."""
        return Path(os.path.commonpath(self.data_paths.values()))

    @property
    def push_dir(self) -> Path:
        """The folder of the pushed versions."""
        if self.push.directory is None:
            return self.root_dir / "serving" / self.name
        return self.resolve(self.push.directory)

    @property
    def primary_metric(self) -> str:
        """The metric by which MLflow's UI compares runs first."""
        return self.mlflow.primary_metric or METRICS[self.task][0]

    @property
    def experiment(self) -> str:
        """The name of the MLflow experiment."""
        return self.mlflow.experiment or self.name

    @property
    def tracking_uri(self) -> str:
        """The MLflow store: as configured, else `MLFLOW_TRACKING_URI`, else SQLite."""
        uri = self.mlflow.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI", "")
        if not uri:
            return f"{_SQLITE}{self.root_dir / 'mlflow.db'}"
        if uri.startswith(_SQLITE):
            return f"{_SQLITE}{self.resolve(uri.removeprefix(_SQLITE))}"
        return uri

    @property
    def mlflow_artifact_dir(self) -> Path:
        """The folder of MLflow's artifacts if its store is on disk."""
        return self.root_dir / "mlflow-artifacts"

    @property
    def trainer_settings(self) -> TrainerSettings:
        """The settings of the Trainer."""
        return TrainerSettings(
            task=self.task,
            label=self.data.label,
            positive=self.data.positive,
            weight=self.data.weight,
            features=self.features,
            model=self.model,
            train=self.train,
        )

    def to_yaml(self) -> str:
        """Writes all settings, defaults too, in the form of the YAML file."""
        text: str = yaml.safe_dump(self.model_dump(mode="json", by_alias=True), sort_keys=False)
        return text

    def flatten(self) -> dict[str, Any]:
        """Returns every setting by its dotted key."""
        flat = _flatten((), self.model_dump(mode="json", by_alias=True))
        return {write_key(key): value for key, value in flat}


def _flatten(key: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flatten((*key, name), item)
    else:
        yield key, value


def write_key(key: Sequence[str]) -> str:
    """Writes the path of a setting; what a sweep searches is a path in itself."""
    if tuple(key[:2]) == ("tuner", "space") and len(key) > 2:
        key = (*key[:2], *split_key(key[2])[0], *key[3:])
    return join_key(key)


def section_at(key: Sequence[str]) -> type[BaseModel]:
    """Returns the innermost section on the way to a key, `Config` if there is none."""
    section: type[BaseModel] = Config
    for part in key:
        for name, field in section.model_fields.items():
            if (field.alias or name) == part:
                section = section_in(field.annotation) or section
    return section


def section_in(annotation: Any) -> type[BaseModel] | None:
    """Returns the section in a field's type: the type itself, or one of its arguments."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
