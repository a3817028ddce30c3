"""What MLflow is to hold of an evaluation: metrics, one table, figures."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components.evaluator.summary import SUMMARY_FILE

TABLE_FILE = "evaluation/metrics.json"

Summary = Mapping[str, Any]


def evaluation_metrics(summary: Summary) -> Iterator[tuple[str, float]]:
    """Names the metrics of an evaluation.

    Args:
        summary: The object described in `components.evaluator.summary`.

    Yields:
        `<metric>` of the whole split, `baseline/<metric>` and the `difference/<metric>` to it; of a
        slice `slice/<column>:<value>/` with `<metric>`, `baseline:<metric>` and
        `difference:<metric>`; `threshold/<metric>:<bound>` and, by how much it held,
        `margin/<metric>:<bound>`, which is negative where it did not. Behind these prefixes the
        class of a metric follows a `:`, since MLflow makes a section of its charts of all up to the
        last `/`.
    """
    for found in summary["slices"]:
        names = " ".join(f"{key}:{value}" for key, value in found["slice"].items())
        prefix, separator = (f"slice/{names}/", ":") if names else ("", "/")
        for metric, value in found["metrics"].items():
            yield f"{prefix}{_flat(metric)}" if prefix else metric, value
        for metric, value in (found["baseline"] or {}).items():
            yield f"{prefix}baseline{separator}{_flat(metric)}", value
            if metric in found["metrics"]:
                difference = found["metrics"][metric] - value
                yield f"{prefix}difference{separator}{_flat(metric)}", difference
    for check in summary["checks"]:
        name = f"{_flat(check['metric'])}:{check['bound']}"
        yield f"threshold/{name}", check["limit"]
        if check["margin"] is not None:
            yield f"margin/{name}", check["margin"]


def _flat(metric: str) -> str:
    return metric.replace("/", ":", 1)


def missed_bounds(summary: Summary) -> list[str]:
    """Says of each bound that does not hold what was found and what was due."""
    return [
        f"{check['metric']} {check['value']:.4g}, {check['bound']} {check['limit']:.4g}"
        for check in summary["checks"]
        if not check["holds"]
    ]


def evaluation_artifacts(summary: Summary) -> dict[str, Callable[[], bytes]]:
    """Names the files of an evaluation, with what makes each: summary, table and figures."""

    def table() -> bytes:
        from tracking.projection.tables import evaluation_table

        return json.dumps(evaluation_table(summary)).encode()

    return {
        f"evaluation/{SUMMARY_FILE}": lambda: json.dumps(summary).encode(),
        TABLE_FILE: table,
        **{f"evaluation/{name}.png": _figure(name, summary) for name in _figures(summary)},
    }


_CLASSIFICATION = ("confusion_matrix", "precision_recall", "calibration", "roc")
"""Functions of `tracking.figures.classification` that draw a summary."""
_REGRESSION = ("predicted_by_actual", "residuals", "residuals_by_prediction")
"""The same of `tracking.figures.regression`."""


def _figures(summary: Summary) -> tuple[str, ...]:
    return _REGRESSION if summary["task"] == "regression" else _CLASSIFICATION


def _figure(name: str, summary: Summary) -> Callable[[], bytes]:
    def draw() -> bytes:
        # It takes a second to import them.
        from tracking.figures import classification, regression

        module = regression if name in _REGRESSION else classification
        content: bytes = getattr(module, name)(summary)
        return content

    return draw
