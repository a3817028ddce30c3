"""A view of MLflow's page of runs: the best run first, its settings beside its scores, its curves.

By itself the page shows no metric in its table, ten runs in its charts, and these by name. A view
that someone has saved is a tag of the experiment; MLflow's page makes one of the same form.
"""

import json
from collections.abc import Mapping
from typing import Any

VIEW_TAG = "mlflow.sharedViewState.best_first"
_SECTIONS = ("Model metrics", "eval", "train")
"""The first of these is where MLflow puts the metrics without a `/` in their name."""
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
        task: What is predicted, as in the configuration.
        primary_metric: What the runs are sorted by.
        greater_is_better: Whether more of it is better.

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
