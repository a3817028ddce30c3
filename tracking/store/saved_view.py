"""A saved view of MLflow's page of runs: best run first, settings beside metrics, and curves.

By default, the table has no metrics, and the charts show ten runs in the order of their names.
Saved views are tags of the experiment; this one has the form of those that MLflow's page makes.
"""

import json
from collections.abc import Mapping
from typing import Any

VIEW_TAG = "mlflow.sharedViewState.best_first"
_SECTIONS = ("Model metrics", "eval", "train")
"""Sections of charts; MLflow puts metrics without a `/` in their name into the first."""
_METRICS = {
    "multiclass": ("accuracy", "cross_entropy"),
    "binary": ("accuracy", "cross_entropy", "auc"),
    "regression": ("rmse", "mae", "r2"),
}
_CURVES = ("eval/loss", "train/loss")
_PARAMS = ("model.learning_rate", "model.hidden_units", "model.optimizer", "train.steps")
_TAGS = ("blessed", "pushed_version")


def saved_view(task: str, primary_metric: str, greater_is_better: bool) -> str:
    """Makes the value of the tag `VIEW_TAG`.

    Args:
        task: The task of the configuration.
        primary_metric: The metric by which runs are sorted.
        greater_is_better: Whether high values of it are better.

    Returns:
        JSON, the same for the same arguments.
    """
    metrics = tuple(dict.fromkeys((primary_metric, *_METRICS[task])))
    curves = _CURVES if task == "regression" else ("eval/accuracy", *_CURVES)
    state = {
        "orderByKey": f"metrics.`{primary_metric}`",
        "orderByAsc": not greater_is_better,
        "selectedColumns": [
            "attributes.`Created`",
            "attributes.`Duration`",
            *(f"metrics.`{name}`" for name in metrics),
            *(f"params.`{name}`" for name in _PARAMS),
            *(f"tags.`{name}`" for name in _TAGS),
        ],
        "runsHiddenMode": "FIRST_20_RUNS",
        "compareRunSections": [_section(name) for name in _SECTIONS],
        "compareRunCharts": [*map(_bar, metrics), *map(_line, curves)],
        "isAccordionReordered": True,
    }
    view = {"name": "Best first", "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)}
    return json.dumps(view)


def _section(name: str) -> Mapping[str, Any]:
    return {
        "uuid": f"section {name}",
        "name": name,
        "display": True,
        "isReordered": False,
        "deleted": False,
        "isGenerated": True,
    }


def _bar(metric: str) -> Mapping[str, Any]:
    return _chart(metric, "BAR", _SECTIONS[0])


def _line(metric: str) -> Mapping[str, Any]:
    return {
        **_chart(metric, "LINE", metric.partition("/")[0]),
        "selectedMetricKeys": [metric],
        "scaleType": "linear",
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "lineSmoothness": 0,
        "range": {},
    }


def _chart(metric: str, kind: str, section: str) -> Mapping[str, Any]:
    return {
        "type": kind,
        "uuid": f"chart {metric}",
        "metricSectionId": f"section {section}",
        "isGenerated": True,
        "deleted": False,
        "metricKey": metric,
        "displayName": metric,
    }
