"""An evaluation as one table, and by how much its bounds hold."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

BOUNDS = ("min", "max", "change")
COLUMNS = (
    "slice",
    "metric",
    "value",
    "baseline",
    "difference",
    *(column for bound in BOUNDS for column in (bound, f"{bound} margin")),
    "holds",
)

Cell = str | float | bool | None


def evaluation_table(summary: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Lays out an evaluation.

    Args:
        summary: The object of `components.evaluator.summary`.

    Returns:
        `columns`, the names, and `data`, a row for each slice and metric. A row has the metric's
        value, the baseline's and the difference; the limit of each bound and the margin by which it
        holds; and whether all bounds hold that are checked. Only rows of the whole split, whose
        slice is `overall`, have bounds. None stands where there is nothing.
    """
    return {"columns": list(COLUMNS), "data": [list(row) for row in _rows(summary)]}


def _rows(summary: Mapping[str, Any]) -> Iterator[tuple[Cell, ...]]:
    for found in summary["slices"]:
        checks = [] if found["slice"] else summary["checks"]
        metrics, baseline = found["metrics"], found["baseline"] or {}
        names = dict.fromkeys([*metrics, *baseline, *(check["metric"] for check in checks)])
        for name in names:
            of_metric = {check["bound"]: check for check in checks if check["metric"] == name}
            yield (
                slice_name(found["slice"]) or "overall",
                name,
                *_compared(metrics.get(name), baseline.get(name)),
                *_bounds(of_metric),
            )


def slice_name(of: Mapping[str, Any]) -> str:
    """Names a slice by its columns and their values; the whole split's name is empty."""
    return " ".join(f"{column}:{value}" for column, value in of.items())


def _compared(value: float | None, baseline: float | None) -> tuple[Cell, Cell, Cell]:
    difference = None if value is None or baseline is None else value - baseline
    return value, baseline, difference


def _bounds(checks: Mapping[str, Mapping[str, Any]]) -> Iterator[Cell]:
    for bound in BOUNDS:
        check = checks.get(bound, {})
        yield check.get("limit")
        yield check.get("margin")
    made = [check["holds"] for check in checks.values() if check["skipped"] is None]
    yield all(made) if made else None


def check_margin(check: Mapping[str, Any]) -> float:
    """Tells by how much a check of the summary holds.

    Args:
        check: One of the summary's checks.

    Returns:
        The distance to the limit, negative where it is missed; NaN where it is undefined.
    """
    return math.nan if check["margin"] is None else float(check["margin"])
