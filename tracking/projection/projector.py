"""Projects the events of a run, one by one.

Events that are read back from MLMD pass through the same code as those of a run in progress, so
that both make the same MLflow run.
"""

from tracking.events import (
    Event,
    NodeOutcome,
    NodeStart,
    RunEnd,
    RunStart,
    Samples,
)
from tracking.projection.artifacts import ArtifactReader
from tracking.projection.description import describe
from tracking.projection.event_files import Metric, changed_since
from tracking.projection.names import RUN_ID_TAG, entity_name
from tracking.projection.projection import Projection

CONFIG_FILE = "pipeline_config.yaml"
NOTE_TAG = "mlflow.note.content"
"""Tag with the description of a run, Markdown that MLflow's UI shows."""


class Projector:
    """Projects one run.

    Attributes:
        last_ms: Time of the latest metric so far, or of the start; milliseconds since the epoch.
        metrics: Last value of each metric so far.
        tags: The tags so far.
    """

    def __init__(self, start: RunStart, experiment_id: str = "") -> None:
        """Starts with nothing projected.

        Args:
            start: How the run began.
            experiment_id: Id of its experiment in MLflow, used in links.
        """
        self.last_ms = start.start_ms
        self.metrics: dict[str, float] = {}
        self.tags: dict[str, str] = {}
        self._start = start
        self._experiment_id = experiment_id
        self._artifacts = ArtifactReader(start)
        self._running: NodeStart | None = None
        self._cached: list[str] = []
        self._seconds: list[Metric] = []

    def project(self, event: Event) -> Projection:
        """Projects an event with the artifacts that it refers to."""
        result = Projection()
        if isinstance(event, RunStart):
            self._start_run(result)
        elif isinstance(event, NodeStart):
            self._running = event
        elif isinstance(event, NodeOutcome):
            self._end_node(result, event)
        elif isinstance(event, Samples):
            result.metrics = [
                Metric(entity_name(name), value, 0, event.timestamp_ms)
                for name, value in event.values.items()
            ]
        elif isinstance(event, RunEnd):
            self._end_run(result, event)
        return self._remember(result)

    def poll(self) -> Projection:
        """Projects what a training in progress has written since the last call."""
        result = Projection()
        if self._running is not None and self._running.unfinished_dir is not None:
            for folder in changed_since(self._running.unfinished_dir, self._running.start_ms):
                self._artifacts.read_training(result, folder)
        return self._remember(result)

    def _remember(self, result: Projection) -> Projection:
        self.metrics |= {metric.key: metric.value for metric in result.metrics}
        self.tags |= result.tags
        times = [metric.timestamp_ms for metric in result.metrics]
        self.last_ms = max([self.last_ms, *times])
        return result

    def _start_run(self, result: Projection) -> None:
        config = self._start.config_yaml.encode()
        result.params = {key: str(value) for key, value in self._start.params.items()}
        result.tags = {RUN_ID_TAG: self._start.pipeline_run_id, **self._start.provenance}
        result.artifacts[CONFIG_FILE] = lambda: config

    def _end_node(self, result: Projection, outcome: NodeOutcome) -> None:
        node_id, self._running = outcome.node_id, None
        if outcome.seconds is not None:
            self._seconds.append(Metric(f"seconds/{node_id}", outcome.seconds, 0, outcome.end_ms))
        if outcome.error is not None:
            result.tags |= {"failed_node": node_id, "error": outcome.error}
        if outcome.state == "cached":
            self._cached.append(node_id)
        if outcome.computed_by is not None:
            result.tags[f"cached.{node_id}"] = outcome.computed_by
        if outcome.execution_id is not None:
            result.tags[f"mlmd.execution.{node_id}"] = str(outcome.execution_id)
        self._artifacts.read(result, outcome)

    def _end_run(self, result: Projection, end: RunEnd) -> None:
        # Written last, since MLflow's comparison shows the metrics in the order of writing.
        result.metrics = [*self._seconds, *self._artifacts.rows]
        result.tags["cached_nodes"] = ", ".join(self._cached) or "none"
        self._remember(result)
        result.tags[NOTE_TAG] = describe(
            self._start,
            self._experiment_id,
            end.status,
            self.tags,
            self.metrics,
            self._artifacts.summary,
        )
