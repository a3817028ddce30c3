"""The text at the end of a run: metrics and thresholds, the verdict, and where to look."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from components.data_gate.report import shorten
from components.evaluator.summary import baseline_obstacle, skipped_checks
from components.pusher.versions import tell_rolled_back
from pipeline.run.report import Report
from tracking.client import Tracker
from tracking.uris import hide_credentials, is_server


def metrics_table(report: Report) -> Table:
    """Lists the metrics of the whole split, with those of the baseline and the thresholds."""
    bounds: dict[str, list[str]] = {}
    for check in report.evaluation["checks"]:
        mark = "holds" if check["holds"] else "MISSED"
        mark = "not checked" if check["skipped"] else mark
        is_change = check["bound"] == "change"
        bound = f"max_worsening {abs(check['limit']):.4g}" if is_change else _limit(check)
        bounds.setdefault(check["metric"], []).append(f"{bound} {mark}")
    table = Table("metric", "value", "previous", "thresholds", box=None, header_style="bold")
    for metric, value in report.metrics.items():
        previous = report.baseline.get(metric)
        table.add_row(
            Text(metric, overflow="fold"),
            show_number(value),
            "" if previous is None else show_number(previous),
            ", ".join(bounds.get(metric, [])),
        )
    return table


def result_lines(report: Report) -> Iterator[str]:
    """Yields the numbers of rows, problems in the data, the verdict, and where the model is."""
    if report.rows is not None:
        yield f"rows: {report.rows}"
    yield from report.notes
    for line in shorten(report.warnings):
        yield f"warning: {line}"
    if obstacle := baseline_obstacle(report.evaluation):
        yield f"not compared with the model blessed before: {obstacle}"
    for skipped in skipped_checks(report.evaluation) if report.evaluation else []:
        yield f"not checked: {skipped}"
    if report.blessed:
        yield "blessed: every threshold holds"
    else:
        yield f"not blessed: {'; '.join(missed_thresholds(report))}"
    for fault in report.serving_faults:
        yield f"serving check: {fault}"
    if report.pushed_path is not None:
        yield f"pushed: version {report.pushed_version} at {report.pushed_path}"
    elif report.rolled_back_version is not None:
        yield f"not pushed: {tell_rolled_back(report.rolled_back_version)}"
    else:
        yield "not pushed: the model that was served before stays"


def tracking_line(tracker: Tracker | None, tracking_uri: str) -> str:
    """Says where a run is tracked and how to open it, or why it is not tracked."""
    if tracker is None:
        return "not tracked in MLflow: mlflow.enabled is false (pipeline sync tracks it later)"
    if tracker.error is not None:
        return (
            f"not tracked in MLflow: {tracker.error} (pipeline sync writes what is missing, once"
            " MLflow answers)"
        )
    uri = hide_credentials(tracking_uri)
    if is_server(tracking_uri):
        where = f"{uri}/#/experiments/{tracker.experiment_id}/runs/{tracker.mlflow_run_id}"
    else:
        where = f"make ui, or mlflow ui --backend-store-uri={uri}"
    return f"MLflow run: {tracker.mlflow_run_id} (to look at it: {where})"


def missed_thresholds(report: Report) -> list[str]:
    """Describes each missed threshold with the value found and the limit."""
    return [_describe(check) for check in report.evaluation.get("checks", []) if not check["holds"]]


def show_number(value: float) -> str:
    """Writes a number with four digits, or whole if it has more before its point."""
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e15 else f"{value:.4g}"


def _describe(check: Mapping[str, Any]) -> str:
    metric, value, limit = check["metric"], check["value"], check["limit"]
    if check["bound"] == "change":
        return (
            f"{metric} changed by {value:+.4g} against the baseline, which is worse by more than"
            f" max_worsening {abs(limit):.4g}"
        )
    side = "below" if check["bound"] == "min" else "above"
    return f"{metric} {show_number(value)} is {side} {_limit(check)}"


def _limit(check: Mapping[str, Any]) -> str:
    return f"{check['bound']} {show_number(check['limit'])}"
