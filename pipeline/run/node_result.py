"""The result of a node, without TFX."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tracking.events import Output

NodeState = Literal["done", "cached", "failed", "killed"]


@dataclass(frozen=True)
class NodeResult:
    """How a node ended.

    Attributes:
        node_id: The node.
        state: How it ended.
        seconds: How long it took, in every state.
        end_ms: When it ended, milliseconds since the epoch.
        execution_id: Its execution in MLMD; None if the node failed or was killed.
        outputs: Artifacts by output key.
        computed_by: If the node was cached, the pipeline run that computed the outputs.
        error: If the node failed, the cause in one line.
    """

    node_id: str
    state: NodeState
    seconds: float
    end_ms: int
    execution_id: int | None = None
    outputs: Mapping[str, list[Output]] = field(default_factory=dict)
    computed_by: str | None = None
    error: str | None = None
