"""What MLflow is to hold of a node: metrics, tags, files, read from its artifacts without TFX."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub import errors
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.evaluator.summary import SUMMARY_FILE, read_summary
from components.mlflow_tracker.events import NodeOutcome

_MAX_NAME_CHARS = 250


@dataclass(frozen=True)
class Metric:
    """A point of a metric: value, step and time in milliseconds since the epoch."""

    key: str
    value: float
    step: int
    timestamp_ms: int


@dataclass
class Projection:
    """What is to be written to a run.

    Attributes:
        metrics: Points of metrics.
        tags: Tags by key.
        files: Folder in the run's artifacts to the files that go there.
    """

    metrics: list[Metric] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)


def project(outcome: NodeOutcome) -> Projection:
    """Projects a node: its seconds, its error if it has one, and what it found.

    Args:
        outcome: How the node ended; its artifacts are read from their folders.

    Returns:
        What to write.
    """
    result = Projection()
    node_id = outcome.node_id
    result.metrics.append(Metric(f"seconds/{node_id}", outcome.seconds, 0, outcome.end_ms))
    if outcome.error is not None:
        result.tags |= {"failed_node": node_id, "error": outcome.error}
    for key, outputs in outcome.outputs.items():
        reader = _READERS.get(key)
        if reader is not None:
            for output in outputs:
                reader(result, Path(output.uri), output.properties, outcome.end_ms)
    return result


Properties = Mapping[str, object]


def _examples(result: Projection, _: Path, properties: Properties, __: int) -> None:
    if "input_fingerprint" in properties:
        result.tags["data.fingerprint"] = str(properties["input_fingerprint"])


def _statistics(result: Projection, folder: Path, _: Properties, end_ms: int) -> None:
    for split_dir in sorted(folder.glob("Split-*")):
        statistics = statistics_pb2.DatasetFeatureStatisticsList()
        statistics.ParseFromString((split_dir / "FeatureStats.pb").read_bytes())
        split = split_dir.name.removeprefix("Split-")
        rows = float(statistics.datasets[0].num_examples)
        result.metrics.append(Metric(f"rows/{split}", rows, 0, end_ms))


def _model_run(result: Projection, folder: Path, _: Properties, __: int) -> None:
    result.tags["tensorboard.logdir"] = str(folder)
    for mode, event_dir in (("train", folder), ("eval", folder / "eval")):
        for path in sorted(event_dir.glob("events.out.tfevents.*")):
            result.metrics.extend(read_scalars(path, mode))


def read_scalars(path: Path, mode: str) -> Iterator[Metric]:
    """Reads the scalars of an event file, as Estimators write them (`simple_value`).

    Args:
        path: A file that TensorFlow's summary writer wrote; it may end in the midst of a record.
        mode: `train` or `eval`, the first part of the metrics' names.

    Yields:
        The points, in the file's order.
    """
    reader = PyRecordReader_New(str(path))
    while True:
        try:
            reader.GetNext()
        except (errors.OutOfRangeError, errors.DataLossError):
            return
        event = Event.FromString(reader.record())
        for value in event.summary.value:
            if value.HasField("simple_value"):
                key = entity_name(f"{mode}/{value.tag}")
                timestamp_ms = int(event.wall_time * 1000)
                yield Metric(key, value.simple_value, event.step, timestamp_ms)


def entity_name(name: str) -> str:
    """Makes a name of a metric or parameter that MLflow takes.

    Args:
        name: Any text: a class's word or a slice's value may be part of it.

    Returns:
        The text with `_` for whatever MLflow allows in no name; a text that is too long ends in a
        digest of it instead.
    """
    allowed = re.sub(r"[^/\w.\- :]", "_", name)
    path = "/".join(part if part.strip(".") else "_" for part in allowed.split("/"))
    if len(path) <= _MAX_NAME_CHARS:
        return path
    digest = hashlib.sha256(path.encode()).hexdigest()[:16]
    return f"{path[: _MAX_NAME_CHARS - 17]}-{digest}"


def _evaluation(result: Projection, folder: Path, _: Properties, end_ms: int) -> None:
    summary = read_summary(folder)
    for found in summary["slices"]:
        names = " ".join(f"{key}:{value}" for key, value in found["slice"].items())
        prefix = f"slice/{names}/" if names else ""
        for name, metrics in (("", found["metrics"]), ("baseline/", found["baseline"] or {})):
            result.metrics.extend(
                Metric(entity_name(f"{prefix}{name}{metric}"), value, 0, end_ms)
                for metric, value in metrics.items()
            )
    missed = [
        f"{check['metric']} {check['value']:.4g}, {check['bound']} {check['limit']:.4g}"
        for check in summary["checks"]
        if not check["holds"]
    ]
    result.tags["thresholds.missed"] = "; ".join(missed) or "none"
    result.files["evaluation"] = [str(folder / SUMMARY_FILE)]


def _blessing(result: Projection, _: Path, properties: Properties, __: int) -> None:
    result.tags["blessed"] = "true" if properties.get("blessed") == 1 else "false"


def _pushed_model(result: Projection, _: Path, properties: Properties, __: int) -> None:
    if properties.get("pushed") == 1:
        result.tags["pushed_version"] = str(properties["pushed_version"])
        result.tags["pushed_path"] = str(properties["pushed_destination"])
    else:
        result.tags["pushed_version"] = "none"


_READERS: Mapping[str, Callable[[Projection, Path, Properties, int], None]] = {
    "examples": _examples,
    "statistics": _statistics,
    "model_run": _model_run,
    "evaluation": _evaluation,
    "blessing": _blessing,
    "pushed_model": _pushed_model,
}
