"""Bounds on metrics, and how they travel in an execution property."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Bounds:
    """The bounds of one metric over the whole split; None where there is none.

    Attributes:
        min: Lowest value allowed.
        max: Highest value allowed.
        min_change: Lowest difference to the baseline allowed, candidate - baseline.
        max_change: Highest difference to the baseline allowed.
    """

    min: float | None = None
    max: float | None = None
    min_change: float | None = None
    max_change: float | None = None


Thresholds = Mapping[str, Bounds]
"""Metric name to its bounds; those of a class metric apply to every class."""


def thresholds_to_json(thresholds: Thresholds) -> str:
    """Writes thresholds as JSON, in their order."""
    return json.dumps({name: asdict(bounds) for name, bounds in thresholds.items()})


def thresholds_from_json(text: str) -> dict[str, Bounds]:
    """Reads thresholds that `thresholds_to_json` wrote."""
    return {name: Bounds(**bounds) for name, bounds in json.loads(text).items()}
