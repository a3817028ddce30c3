"""Finds runs in MLflow, and writes to them in batches of the sizes that MLflow allows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from mlflow.entities import Metric, Param, Run, RunTag, ViewType
from mlflow.tracking import MlflowClient

from tracking.projection import event_files
from tracking.projection.names import entity_name, param_names

_MAX_METRICS, _MAX_PARAMS, _MAX_TAGS = 1000, 100, 100
_MAX_PARAM_CHARS, _MAX_TAG_CHARS = 6000, 8000

T = TypeVar("T")


def find_run(client: MlflowClient, experiment_id: str, tag: str, value: str) -> Run | None:
    """Finds the run with this value of a tag, including deleted runs; None if there is none."""
    query = f"tags.`{tag}` = '{value}'"
    found = client.search_runs([experiment_id], query, ViewType.ALL, max_results=1)
    return found[0] if found else None


def log_batches(
    client: MlflowClient,
    run_id: str,
    params: Mapping[str, str],
    metrics: Iterable[event_files.Metric],
    tags: Mapping[str, str],
    on_progress: Callable[[], None],
) -> None:
    """Writes params, points of metrics and tags.

    Args:
        client: Client of the store.
        run_id: Id of the run.
        params: Value by name; long values are cut.
        metrics: The points.
        tags: Value by key; long values are cut.
        on_progress: Called whenever MLflow has responded.
    """
    for some_params in _batches(
        (Param(name, params[key][:_MAX_PARAM_CHARS]) for key, name in param_names(params).items()),
        _MAX_PARAMS,
    ):
        client.log_batch(run_id, params=some_params)
        on_progress()
    for some_metrics in _batches(
        (Metric(m.key, m.value, m.timestamp_ms, m.step) for m in metrics), _MAX_METRICS
    ):
        client.log_batch(run_id, metrics=some_metrics)
        on_progress()
    for some_tags in _batches(
        (RunTag(entity_name(key), value[:_MAX_TAG_CHARS]) for key, value in tags.items()), _MAX_TAGS
    ):
        client.log_batch(run_id, tags=some_tags)
        on_progress()


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
