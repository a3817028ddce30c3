"""What is to be written to a run in MLflow."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tensorflow_metadata.proto.v0 import statistics_pb2

from tracking.projection.datasets import Dataset
from tracking.projection.event_files import Metric
from tracking.projection.trials import Trial


@dataclass(frozen=True)
class TrainedModel:
    """The model of a run.

    Attributes:
        saved_model_dir: Folder of its SavedModel.
        trained_ms: When the run had it, trained or from the cache; milliseconds since the epoch.
        statistics: TFDV's statistics of the split it was trained on.
    """

    saved_model_dir: str
    trained_ms: int
    statistics: statistics_pb2.DatasetFeatureStatisticsList


@dataclass
class Projection:
    """What is to be written to a run.

    Attributes:
        params: Settings by dotted key.
        metrics: Points of metrics.
        tags: Tags by key.
        artifacts: Path among the run's artifacts to what makes the file's content.
        datasets: The data that went in.
        model: The model that came out.
        pushed_version: The version under which it is served, None if it was not pushed.
        trials: Trials of a sweep that have gone on, each a run below this one.
    """

    params: dict[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    datasets: list[Dataset] = field(default_factory=list)
    model: TrainedModel | None = None
    pushed_version: str | None = None
    trials: list[Trial] = field(default_factory=list)
