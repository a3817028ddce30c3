"""What is to be written to MLflow for one run."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tensorflow_metadata.proto.v0 import statistics_pb2

from tracking.projection.datasets import Dataset
from tracking.projection.event_files import Metric
from tracking.projection.trials import Trial


@dataclass(frozen=True)
class TrainedModel:
    """The model that a run trained, or took from the cache.

    Attributes:
        saved_model_dir: Folder of the SavedModel.
        trained_ms: When Trainer ended in this run, milliseconds since the epoch.
        statistics: TFDV's statistics of the train split.
    """

    saved_model_dir: str
    trained_ms: int
    statistics: statistics_pb2.DatasetFeatureStatisticsList


@dataclass
class Projection:
    """Additions to an MLflow run.

    Attributes:
        params: Settings by dotted key.
        metrics: Points of metrics.
        tags: Tags by key.
        artifacts: Path of each file among the artifacts of the run, with the function that makes
            its content.
        datasets: The data of the run.
        model: The model of the run.
        pushed_version: The version under which the model is served; None if it was not pushed.
        trials: Trials of a sweep with something new; each is a run below this one.
    """

    params: dict[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    datasets: list[Dataset] = field(default_factory=list)
    model: TrainedModel | None = None
    pushed_version: str | None = None
    trials: list[Trial] = field(default_factory=list)
