"""Projects an evaluation to metrics, one table and figures."""

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
        Name and value. For the whole split: `<metric>`, `baseline/<metric>` and
        `difference/<metric>`. For a slice: `<metric>`, `baseline:<metric>` and
        `difference:<metric>`, all after `slice/<column>:<value>/`. For a threshold:
        `threshold/<metric>:<bound>`, and `margin/<metric>:<bound>`, which is negative if the
        threshold is missed. After these prefixes, a `:` separates the class from the metric, since
        MLflow groups its charts by everything before the last `/`.
    """
    for found in summary["slices"]:
        names = slice_name(found["slice"])
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


def slice_name(values: Mapping[str, Any]) -> str:
    """Names a slice, so that no two get the same name: `<column>:<value>`, with blanks between.

    Quotes stand around a column that holds a `:`, and around a value that holds both.

    >>> slice_name({"legs": 6, "opens at": "10:30", "a:b": "x"})
    'legs:6 opens at:10:30 "a:b":x'
    """
    return " ".join(
        f"{_quoted(column) if ':' in column else column}:"
        f"{_quoted(str(value)) if {' ', ':'} <= {*str(value)} else value}"
        for column, value in values.items()
    )


def _quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))


def _flat(metric: str) -> str:
    return metric.replace("/", ":", 1)


def missed_bounds(summary: Summary) -> list[str]:
    """Describes each missed bound with the value found and the limit."""
    return [
        f"{check['metric']} {check['value']:.4g}, {check['bound']} {check['limit']:.4g}"
        for check in summary["checks"]
        if not check["holds"]
    ]


def evaluation_artifacts(summary: Summary) -> dict[str, Callable[[], bytes]]:
    """Maps the path of each file of an evaluation to the function that makes its content."""

    def table() -> bytes:
        from tracking.projection.tables import evaluation_table

        return json.dumps(evaluation_table(summary)).encode()

    return {
        f"evaluation/{SUMMARY_FILE}": lambda: json.dumps(summary).encode(),
        TABLE_FILE: table,
        **{f"evaluation/{name}.png": _figure(name, summary) for name in _figures(summary)},
    }


_CLASSIFICATION = ("confusion_matrix", "precision_recall", "calibration", "roc")
"""Functions of `tracking.figures.classification`, each of which draws one figure."""
_REGRESSION = ("predicted_by_actual", "residuals", "residuals_by_prediction")
"""Functions of `tracking.figures.regression`, each of which draws one figure."""


def _figures(summary: Summary) -> tuple[str, ...]:
    return _REGRESSION if summary["task"] == "regression" else _CLASSIFICATION


def _figure(name: str, summary: Summary) -> Callable[[], bytes]:
    def draw() -> bytes:
        # The imports take a second.
        from tracking.figures import classification, regression

        module = regression if name in _REGRESSION else classification
        content: bytes = getattr(module, name)(summary)
        return content

    return draw
