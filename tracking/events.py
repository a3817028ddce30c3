"""What a runner reports of a run: plain values that travel as JSON lines; no MLflow, no TFX.

A run is told by a `RunStart`, for each node that runs a `NodeStart` and a `NodeOutcome`, `Samples`
at any time between, and a `RunEnd`. Told again from MLMD, it makes the same run. A `Promotion` is
of no run.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

NodeState = Literal["done", "cached", "failed", "killed"]
RunStatus = Literal["FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class RunStart:
    """A run begins.

    Attributes:
        pipeline_run_id: TFX's name of the run.
        pipeline_name: The pipeline, and its registered model.
        experiment: The MLflow experiment.
        run_name: What the run is called in MLflow.
        start_ms: When it began, milliseconds since the epoch.
        params: Every setting by its dotted key.
        config_yaml: The whole configuration, overrides applied.
        origin: Where the code and the data came from, and whose run it is: tags by key.
        data_path: The CSV file or folder, with its marks of spans; of several, that above them.
        label: The column to predict.
        push_dir: Folder of the pushed versions.
        primary_metric: The metric that runs are compared by first.
        greater_is_better: Whether more of it is better.
    """

    pipeline_run_id: str
    pipeline_name: str
    experiment: str
    run_name: str
    start_ms: int
    params: Mapping[str, Any]
    config_yaml: str
    origin: Mapping[str, str]
    data_path: str
    label: str
    push_dir: str
    primary_metric: str
    greater_is_better: bool


@dataclass(frozen=True)
class NodeStart:
    """A node begins.

    Attributes:
        node_id: The node.
        start_ms: When, milliseconds since the epoch.
        unfinished_dir: Folder in which it keeps what it trains until it is done, if it trains.
    """

    node_id: str
    start_ms: int
    unfinished_dir: str | None = None


@dataclass(frozen=True)
class Output:
    """An artifact that a node gave out.

    Attributes:
        artifact_id: Its id in MLMD.
        uri: Its folder.
        properties: Its custom properties.
    """

    artifact_id: int
    uri: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class NodeOutcome:
    """A node has ended.

    Attributes:
        node_id: The node.
        state: How it ended.
        seconds: How long it took, whatever it did; None if nobody was left to say.
        end_ms: When it ended, milliseconds since the epoch.
        execution_id: Its execution in MLMD, None if it never got one.
        outputs: Artifacts by output key.
        computed_by: Of a cached node, the pipeline run that computed the outputs.
        error: Of a failed node, the cause in one line.
        unfinished_dir: Of a training that did not end, the folder that keeps its curves.
    """

    node_id: str
    state: NodeState
    seconds: float | None
    end_ms: int
    execution_id: int | None = None
    outputs: Mapping[str, list[Output]] = field(default_factory=dict)
    computed_by: str | None = None
    error: str | None = None
    unfinished_dir: str | None = None


@dataclass(frozen=True)
class Samples:
    """What the machine was doing at one moment.

    Attributes:
        timestamp_ms: When, milliseconds since the epoch.
        values: Metrics by name.
    """

    timestamp_ms: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class RunEnd:
    """A run has ended.

    Attributes:
        status: How, in MLflow's words.
        end_ms: When, milliseconds since the epoch; None if nobody was left to say: then it is the
            time of the last thing known of the run.
    """

    status: RunStatus
    end_ms: int | None


@dataclass(frozen=True)
class Promotion:
    """Another version is served, which no run has pushed.

    Attributes:
        pipeline_name: The pipeline, and its registered model.
        push_dir: Folder of the pushed versions.
    """

    pipeline_name: str
    push_dir: str


Event = RunStart | NodeStart | NodeOutcome | Samples | RunEnd | Promotion
_KINDS: Mapping[str, type[Event]] = {
    kind.__name__: kind for kind in (RunStart, NodeStart, NodeOutcome, Samples, RunEnd, Promotion)
}


def to_line(event: Event) -> str:
    """Writes an event as a line of JSON."""
    return json.dumps({"event": type(event).__name__, **asdict(event)}) + "\n"


def read_events(lines: Iterable[str]) -> Iterator[Event]:
    """Reads events back from their lines."""
    for line in lines:
        values = json.loads(line)
        kind = _KINDS[values.pop("event")]
        if "outputs" in values:
            values["outputs"] = {
                key: [Output(**output) for output in outputs]
                for key, outputs in values["outputs"].items()
            }
        yield kind(**values)
