"""The events of a run: plain values that travel as JSON lines, without MLflow and TFX.

A run is a `RunStart`, a `NodeStart` and a `NodeOutcome` for each node that runs, `Samples` at any
time in between, and a `RunEnd`. Events read back from MLMD make the same MLflow run as those of the
runner. A `Promotion` belongs to no run.
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
        pipeline_name: Name of the pipeline and of its registered model.
        experiment: Name of the MLflow experiment.
        run_name: Name of the run in MLflow.
        start_ms: When it began, milliseconds since the epoch.
        params: Every setting by its dotted key.
        config_yaml: The whole configuration with overrides applied.
        provenance: Where code and data came from, and who started the run: tags by key.
        data_path: The CSV file or folder, spans as `{SPAN}`; the common folder if there are
            several.
        label: The column to predict.
        push_dir: The serving folder.
        primary_metric: The metric by which runs are sorted.
        greater_is_better: Whether high values of it are better.
    """

    pipeline_run_id: str
    pipeline_name: str
    experiment: str
    run_name: str
    start_ms: int
    params: Mapping[str, Any]
    config_yaml: str
    provenance: Mapping[str, str]
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
        unfinished_dir: If the node trains, the folder of its unfinished trainings.
    """

    node_id: str
    start_ms: int
    unfinished_dir: str | None = None


@dataclass(frozen=True)
class Output:
    """An output artifact of a node.

    Attributes:
        artifact_id: Id of the artifact in MLMD.
        uri: Folder of the artifact.
        properties: Custom properties of the artifact.
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
        seconds: How long it took; None if the runner was killed before it could say.
        end_ms: When it ended, milliseconds since the epoch.
        execution_id: Its execution in MLMD; None if it failed or was killed.
        outputs: Artifacts by output key.
        computed_by: If it was cached, the pipeline run that computed the outputs.
        error: If it failed, the cause in one line.
        unfinished_dir: If it was training and did not end, the folder with a copy of its curves.
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
    """System metrics at one moment.

    Attributes:
        timestamp_ms: When, milliseconds since the epoch.
        values: Value by metric name.
    """

    timestamp_ms: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class RunEnd:
    """A run has ended.

    Attributes:
        status: How it ended, as a status of MLflow.
        end_ms: When, milliseconds since the epoch; None if the runner was killed before it could
            say, which stands for the time of the last event or metric known.
    """

    status: RunStatus
    end_ms: int | None


@dataclass(frozen=True)
class Promotion:
    """Another version is served without a run having pushed it.

    Attributes:
        pipeline_name: Name of the pipeline and of its registered model.
        push_dir: The serving folder.
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
    """Reads events that `to_line` wrote.

    State folders made by version 0.1 have `origin` in place of `provenance`.
    """
    for line in lines:
        values = json.loads(line)
        kind = _KINDS[values.pop("event")]
        if "origin" in values:
            values["provenance"] = values.pop("origin")
        if "outputs" in values:
            values["outputs"] = {
                key: [Output(**output) for output in outputs]
                for key, outputs in values["outputs"].items()
            }
        yield kind(**values)
