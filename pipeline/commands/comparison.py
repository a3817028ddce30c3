"""Compares runs: settings, data and code that differ, and all metrics with the best marked.

Everything is read from MLMD and the artifacts, so that runs missing in MLflow compare as well.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipeline.errors import RunNotFoundError, did_you_mean
from pipeline.run.history import Run
from pipeline.run.provenance import STATE_SETTINGS
from pipeline.run.report_text import show_number
from tracking.projection.metric_direction import direction_of
from tracking.projection.names import TUNED_TAG
from tracking.projection.projector import Projector

_LATEST = "latest"
_PROVENANCE = {
    "data.fingerprint": "data",
    "data.path": "data path",
    "anomalies": "data anomalies",
    "code.digest": "code",
    "git.commit": "git commit",
    "git.dirty": "git: uncommitted changes",
}
"""Tags of data and code, to their names in the table."""
_OUTCOME = ("blessed", "thresholds.missed", "pushed_version")
_NOT_SHOWN = {"baseline", "difference", "margin", "seconds", "system", "threshold", "train"}
"""Prefixes and names of metrics that are not results, or that follow from others shown."""
_DIGEST_CHARS = 12


@dataclass(frozen=True)
class Row:
    """A row of the comparison.

    Attributes:
        name: The setting, property or metric that is compared.
        values: Value of each run, None where a run has none.
        best: Indices of the best values, empty where none is better than another.
    """

    name: str
    values: tuple[Any, ...]
    best: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Comparison:
    """The rows of a comparison, by subject.

    Attributes:
        runs: Name of each run.
        settings: Settings that differ, by dotted key.
        origin: Properties of data and code that differ.
        outcome: Status, blessing, missed thresholds and pushed version.
        metrics: All metrics of evaluation and data.
    """

    runs: tuple[str, ...]
    settings: tuple[Row, ...]
    origin: tuple[Row, ...]
    outcome: tuple[Row, ...]
    metrics: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns the object that `pipeline compare --json` prints."""
        parts = {name: getattr(self, name) for name in ("settings", "origin", "outcome", "metrics")}
        return {
            "runs": list(self.runs),
            **{
                part: {
                    row.name: {"values": list(row.values), "best": sorted(row.best)} for row in rows
                }
                for part, rows in parts.items()
            },
        }


def find_runs(runs: Sequence[Run], names: Sequence[str], pipeline: str) -> list[Run]:
    """Finds runs by ids, names or age.

    Args:
        runs: All runs, oldest first.
        names: For each wanted run its MLflow or pipeline run id, or the beginning of one; its name;
            or `latest`, `latest~1` for the one before, and so on.
        pipeline: Name of the pipeline whose runs `latest` means.

    Returns:
        The runs, in the order of the names.

    Raises:
        RunNotFoundError: If a name matches no run, or several.
    """
    return [_find_run(runs, name, pipeline) for name in names]


def _find_run(runs: Sequence[Run], name: str, pipeline: str) -> Run:
    head, _, back = name.partition("~")
    if head == _LATEST and (back.isdecimal() or not back):
        age = int(back or 0)
        its_runs = [run for run in runs if run.start.pipeline_name == pipeline]
        if age >= len(its_runs):
            raise RunNotFoundError(f"{name}: there are only {len(its_runs)} runs of '{pipeline}'")
        return its_runs[-1 - age]
    found = [run for run in runs if name in (run.mlflow_run_id, run.start.pipeline_run_id)]
    found = found or [
        run
        for run in runs
        if name == run.start.run_name
        or run.start.pipeline_run_id.startswith(name)
        or (run.mlflow_run_id or "").startswith(name)
    ]
    if not found:
        known = [run.start.run_name for run in runs] + [_LATEST]
        raise RunNotFoundError(f"{name}: no run has this id or name{did_you_mean(name, known)}")
    if len(found) > 1:
        ids = ", ".join(run.start.pipeline_run_id for run in found)
        raise RunNotFoundError(f"{name}: matches several runs: {ids}")
    return found[0]


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Compares the settings, origin, outcome and metrics of runs."""
    projectors = [_project(run) for run in runs]
    tags = [projector.tags for projector in projectors]
    metrics = [projector.metrics for projector in projectors]
    return Comparison(
        runs=tuple(run.start.run_name for run in runs),
        settings=tuple(
            _differing([_settings(run, found) for run, found in zip(runs, tags, strict=True)])
        ),
        origin=tuple(_differing([_named(found, _PROVENANCE) for found in tags])),
        outcome=(
            Row("status", tuple(run.end.status for run in runs)),
            *(Row(key, tuple(found.get(key) for found in tags)) for key in _OUTCOME),
        ),
        metrics=tuple(_metric_rows(metrics)),
    )


def _settings(run: Run, tags: Mapping[str, str]) -> dict[str, Any]:
    """Returns the settings that affect results, with the values that a sweep chose."""
    params = {
        key: value for key, value in run.start.params.items() if not key.startswith(STATE_SETTINGS)
    }
    tuned = {
        key.removeprefix(TUNED_TAG): json.loads(value)
        for key, value in tags.items()
        if key.startswith(TUNED_TAG)
    }
    return params | tuned


def _project(run: Run) -> Projector:
    projector = Projector(run.start)
    for event in run.events():
        projector.project(event)
    return projector


def _named(tags: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {
        name: tags[key][:_DIGEST_CHARS]
        if key.endswith(("digest", "fingerprint", "commit"))
        else tags[key]
        for key, name in names.items()
        if key in tags
    }


def _differing(values: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Lists the keys whose values differ, in order of first appearance."""
    for key in dict.fromkeys(key for found in values for key in found):
        row = tuple(found.get(key) for found in values)
        if any(value != row[0] for value in row):
            yield Row(key, row)


def _metric_rows(metrics: Sequence[Mapping[str, float]]) -> Iterator[Row]:
    for key in dict.fromkeys(key for found in metrics for key in found):
        if not _NOT_SHOWN & {key.partition("/")[0], _metric(key)}:
            values = tuple(found.get(key) for found in metrics)
            yield Row(key, values, _best(key, values))


def _best(key: str, values: Sequence[float | None]) -> frozenset[int]:
    """Returns the indices of the best values; none without a direction or without a difference."""
    direction = direction_of(_metric(key))
    defined = {value for value in values if value is not None}
    if len(defined) < 2 or not direction:
        return frozenset()
    best = max(defined, key=lambda value: direction * value)
    return frozenset(index for index, value in enumerate(values) if value == best)


def _metric(key: str) -> str:
    """Returns the name of the metric, without the slice before it and the class after it."""
    parts = key.split("/")
    start = {"slice": 2, "eval": 1, "tuner": 1}.get(parts[0], 0)
    return parts[start].partition(":")[0] if start < len(parts) else ""


def make_tables(comparison: Comparison) -> Iterator[Table]:
    """Makes a table for each part of a comparison that has rows."""
    for title in ("settings", "origin", "outcome", "metrics"):
        rows: tuple[Row, ...] = getattr(comparison, title)
        if not rows:
            continue
        names = (escape(name) for name in comparison.runs)
        table = Table(title, *names, box=None, header_style="bold")
        for row in rows:
            cells = [_cell(value, index in row.best) for index, value in enumerate(row.values)]
            table.add_row(Text(row.name, overflow="fold"), *cells)
        yield table


def _cell(value: Any, is_best: bool) -> Text:
    text = "" if value is None else show_number(value) if isinstance(value, float) else str(value)
    return Text(f"{text} *", "bold green") if is_best else Text(text)
