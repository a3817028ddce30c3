"""The text at the end of a run: metrics and thresholds, the verdict, and where to look."""

from collections.abc import Iterator

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
        bounds.setdefault(check["metric"], []).append(
            f"{check['bound']} {check['limit']:+.4g} {mark}"
            if check["bound"] == "change"
            else f"{check['bound']} {check['limit']:.4g} {mark}"
        )
    table = Table("metric", "value", "previous", "thresholds", box=None, header_style="bold")
    for metric, value in report.metrics.items():
        previous = report.baseline.get(metric)
        table.add_row(
            Text(metric, overflow="fold"),
            f"{value:.4g}",
            "" if previous is None else f"{previous:.4g}",
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
    words = {"min": "below min", "max": "above max", "change": "change against the baseline beyond"}
    return [
        f"{check['metric']} {check['value']:.4g} is {words[check['bound']]} {check['limit']:.4g}"
        for check in report.evaluation.get("checks", [])
        if not check["holds"]
    ]
