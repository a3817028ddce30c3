"""Describes a run in Markdown: its data, its results, and why the model was pushed or not."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from components.evaluator.summary import baseline_obstacle, skipped_checks
from components.pusher.versions import ROLLED_BACK, tell_rolled_back
from tracking.events import RunStart, RunStatus
from tracking.projection.names import RUN_ID_TAG, TRIAL_NUMBER_TAG, TUNED_TAG, WARNINGS_TAG

Tags = Mapping[str, str]
Metrics = Mapping[str, float]

_BOUNDS = {"min": "at least", "max": "at most", "change": "worse than the baseline by at most"}


def describe(
    start: RunStart,
    experiment_id: str,
    status: RunStatus,
    tags: Tags,
    metrics: Metrics,
    summary: Mapping[str, Any],
) -> str:
    """Describes a run that has ended.

    Args:
        start: How it began.
        experiment_id: Id of its experiment in MLflow.
        status: How it ended.
        tags: Its tags.
        metrics: Last value of each metric.
        summary: Summary of its evaluation; empty if there was none.

    Returns:
        Markdown with a paragraph or a table for each part.
    """
    parts = [
        _verdict(status, tags),
        _data(start, tags, metrics),
        _warnings(tags),
        "\n".join(_table(summary)),
        _skipped(summary),
        _tuned(tags),
        _cached(experiment_id, tags),
    ]
    return "\n\n".join(part for part in parts if part)


def _verdict(status: RunStatus, tags: Tags) -> str:
    if status == "FAILED":
        error = tags.get("error", "").replace("\n", "\n- ").replace("\n", "\n\n", 1)
        return f"**Failed** in {tags.get('failed_node', 'the runner')}: {error}"
    if status == "KILLED":
        return "**Killed** before its end."
    if tags.get("pushed_version", "none") != "none":
        return (
            f"**Pushed** as version {tags['pushed_version']}: every threshold holds."
            f" Served from `{tags['pushed_path']}`."
        )
    keys = ("thresholds.missed", "serving.faults")
    reasons = [tags[key] for key in keys if tags.get(key, "none") != "none"]
    if ROLLED_BACK in tags:
        reasons.append(tell_rolled_back(tags[ROLLED_BACK]))
    return f"**Not pushed**: {'; '.join(reasons) or 'nothing was evaluated'}."


def _data(start: RunStart, tags: Tags, metrics: Metrics) -> str:
    counts = {
        name.removeprefix("rows/"): value
        for name, value in metrics.items()
        if name.startswith("rows/")
    }
    unlabeled = counts.pop("unlabeled", 0)
    rows = [
        f"{value:.0f} rows to {name}"
        for name, value in counts.items()
        if name not in ("read", "examples") and value
    ]
    rows += [f"{unlabeled:.0f} rows without a label"] * bool(unlabeled)
    if not rows:
        return ""
    anomalies = tags.get("anomalies", "none")
    path = tags.get("data.path", start.data_path)
    return f"Data: `{path}`, {', '.join(rows)}; anomalies: {anomalies}."


def _warnings(tags: Tags) -> str:
    warnings = tags.get(WARNINGS_TAG, "none")
    if warnings == "none":
        return ""
    return "\n".join(["Warnings:", "", *(f"- {line}" for line in warnings.splitlines())])


def _table(summary: Mapping[str, Any]) -> Iterator[str]:
    if not summary:
        return
    overall = summary["slices"][0]
    baseline = overall["baseline"] or {}
    bounds: dict[str, list[str]] = {}
    for check in summary["checks"]:
        mark = "holds" if check["holds"] else "**missed**"
        mark = "not checked" if check["skipped"] else mark
        text = f"{_BOUNDS[check['bound']]} {abs(check['limit']):.4g} {mark}"
        bounds.setdefault(check["metric"], []).append(text)
    yield "| metric | value | baseline | difference | thresholds |"
    yield "|---|---|---|---|---|"
    for metric, value in overall["metrics"].items():
        before = baseline.get(metric)
        compared = "| |" if before is None else f"| {before:.4g} | {value - before:+.4g}"
        name = metric.replace("|", "\\|")
        yield f"| {name} | {value:.4g} {compared} | {', '.join(bounds.get(metric, []))} |"


def _skipped(summary: Mapping[str, Any]) -> str:
    skipped = skipped_checks(summary) if summary else []
    obstacle = baseline_obstacle(summary)
    parts = [f"Not compared with the model blessed before: {obstacle}."] if obstacle else []
    return " ".join([*parts, *([f"Not checked: {'; '.join(skipped)}."] if skipped else [])])


def _tuned(tags: Tags) -> str:
    found = {
        key.removeprefix(TUNED_TAG): json.loads(value)
        for key, value in tags.items()
        if key.startswith(TUNED_TAG)
    }
    if not found:
        return ""
    settings = ", ".join(f"`{key}={value}`" for key, value in found.items())
    return f"Trained with the settings of trial {tags[TRIAL_NUMBER_TAG]}: {settings}."


def _cached(experiment_id: str, tags: Tags) -> str:
    """Links to the runs that computed the cached nodes, which are found by their tag."""
    links: dict[str, list[str]] = {}
    for key, run in tags.items():
        if key.startswith("cached."):
            links.setdefault(run, []).append(key.removeprefix("cached."))
    if not links:
        return ""
    parts = [
        f"{', '.join(nodes)} computed by {_link(experiment_id, run)}"
        for run, nodes in links.items()
    ]
    return f"From the cache: {'; '.join(parts)}."


def _link(experiment_id: str, pipeline_run_id: str) -> str:
    query = quote(f"tags.`{RUN_ID_TAG}` = '{pipeline_run_id}'")
    return f"[{pipeline_run_id}](#/experiments/{experiment_id}/runs?searchFilter={query})"
