"""Projections of single events."""

from tests.helpers.tracked_run import make_start
from tracking.events import NodeOutcome
from tracking.projection.projection import Projection
from tracking.projection.projector import Projector


def project(outcome: NodeOutcome) -> Projection:
    """Projects the end of a node of a new run."""
    return Projector(make_start()).project(outcome)


def tags_of(projection: Projection) -> dict[str, str]:
    """Returns the tags without those that refer to MLMD."""
    return {key: tag for key, tag in projection.tags.items() if not key.startswith("mlmd.")}


def keys_of(projection: Projection) -> list[str]:
    """Lists the names of the metrics."""
    return [metric.key for metric in projection.metrics]
