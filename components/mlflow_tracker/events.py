"""What a runner reports of a run: plain values that travel as JSON lines; no MLflow, no TFX."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

NodeState = Literal["done", "cached", "failed", "killed"]
RunStatus = Literal["FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class RunStart:
    """A run begins.

    Attributes:
        pipeline_run_id: TFX's name of the run.
        run_name: What the run is called in MLflow.
        start_ms: When it began, milliseconds since the epoch.
        params: Every setting by its dotted key.
        config_yaml: The whole configuration, overrides applied.
        source_dir: Folder whose git state describes the code.
    """

    pipeline_run_id: str
    run_name: str
    start_ms: int
    params: Mapping[str, Any]
    config_yaml: str
    source_dir: str


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
        seconds: How long it took, whatever it did.
        end_ms: When it ended, milliseconds since the epoch.
        execution_id: Its execution in MLMD, None if it never got one.
        outputs: Artifacts by output key.
        computed_by: Of a cached node, the pipeline run that computed the outputs.
        error: Of a failed node, the cause in one line.
    """

    node_id: str
    state: NodeState
    seconds: float
    end_ms: int
    execution_id: int | None = None
    outputs: Mapping[str, list[Output]] = field(default_factory=dict)
    computed_by: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class RunEnd:
    """A run has ended.

    Attributes:
        status: How, in MLflow's words.
        end_ms: When, milliseconds since the epoch.
    """

    status: RunStatus
    end_ms: int


Event = RunStart | NodeOutcome | RunEnd


def to_line(event: Event) -> str:
    """Writes an event as a line of JSON."""
    return json.dumps({"event": type(event).__name__, **asdict(event)}) + "\n"


def read_events(lines: Iterator[str]) -> Iterator[Event]:
    """Reads events back from their lines."""
    for line in lines:
        values = json.loads(line)
        kind = values.pop("event")
        if kind == "NodeOutcome":
            values["outputs"] = {
                key: [Output(**output) for output in outputs]
                for key, outputs in values["outputs"].items()
            }
            yield NodeOutcome(**values)
        else:
            yield {"RunStart": RunStart, "RunEnd": RunEnd}[kind](**values)
