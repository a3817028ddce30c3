"""Lays out an evaluation as one table."""

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
        `columns`, the names, and `data`, a row for each slice and metric. A row has the values of
        the metric and of the baseline and their difference; limit and margin of each bound; and
        whether all checked bounds hold. Only the whole split, whose slice is called `overall`, has
        bounds. Empty cells are None.
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
    """Names a slice by its columns and values; the name of the whole split is empty."""
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
