"""Projects the artifacts of a run, which are read without TensorFlow."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.data_gate.report import read_findings, shorten, to_lines
from components.distribution_validator.report import DISTANCES_FILE, read_distances
from components.evaluator.summary import read_summary
from components.pusher.versions import ROLLED_BACK
from components.serving_check.report import read_report
from tabular.csv.file_patterns import Span, SpanPath, has_marks
from tracking.events import NodeOutcome, Output, RunStart
from tracking.projection.datasets import make_datasets
from tracking.projection.evaluation import (
    TABLE_FILE,
    evaluation_artifacts,
    evaluation_metrics,
    missed_bounds,
)
from tracking.projection.event_files import CurveReader, Metric, best_points
from tracking.projection.metric_direction import Direction, to_best
from tracking.projection.names import (
    TRIAL_NUMBER_TAG,
    TUNED_TAG,
    WARNINGS_TAG,
    entity_name,
)
from tracking.projection.projection import Projection, TrainedModel
from tracking.projection.trials import TrialReader

_TABLES_TAG = "mlflow.loggedArtifacts"
"""Tag with the tables that MLflow's UI can compare between runs."""
_SCHEMA_GEN = "SchemaGen"
_TRAINER = "Trainer"
_SERVING_DIR = "Format-Serving"
"""Folder of the SavedModel in a Model artifact."""


class ArtifactReader:
    """Reads the artifacts of one run, in the order of its nodes.

    Attributes:
        rows: Number of rows of each split; empty before StatisticsGen.
        summary: Summary of the evaluation; empty before Evaluator.
    """

    def __init__(self, start: RunStart) -> None:
        """Starts with nothing read.

        Args:
            start: How the run began.
        """
        self.rows: list[Metric] = []
        self.summary: dict[str, Any] = {}
        self._start = start
        self._aside: list[Metric] = []
        self._curves = CurveReader()
        self._evaluated: list[Metric] = []
        self._trials = TrialReader()
        self._data_path = start.data_path
        self._fingerprint = ""
        self._statistics: dict[str, statistics_pb2.DatasetFeatureStatisticsList] = {}

    def read(self, result: Projection, outcome: NodeOutcome) -> None:
        """Projects the outputs of a node.

        Args:
            result: The projection to add to.
            outcome: How the node ended.
        """
        for key, outputs in outcome.outputs.items():
            ids = ", ".join(str(output.artifact_id) for output in outputs)
            result.tags[f"mlmd.artifact.{outcome.node_id}.{key}"] = ids
            reader = _READERS.get(key)
            if reader is not None:
                for output in outputs:
                    reader(self, result, outcome, output)
        if outcome.unfinished_dir is not None:
            self.read_training(result, Path(outcome.unfinished_dir))

    def read_training(self, result: Projection, folder: Path) -> None:
        """Projects what a training or a sweep has written since the last call.

        Args:
            result: The projection to add to.
            folder: The folder of the training with its curves, or of the sweep with its trials.
        """
        result.trials.extend(self._trials.read(folder))
        points = list(self._curves.read(folder))
        self._evaluated.extend(point for point in points if point.key.startswith("eval/"))
        result.metrics.extend(points)

    def _examples(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        quarantined = int(output.properties.get("quarantined", 0))
        if quarantined:
            self._aside = [Metric("rows/quarantine", quarantined, 0, outcome.end_ms)]
        self._fingerprint = str(output.properties.get("input_fingerprint", ""))
        if self._fingerprint:
            result.tags["data.fingerprint"] = self._fingerprint
        if "span" in output.properties and has_marks(self._data_path):
            span = Span(output.properties["span"], output.properties.get("version"))
            self._data_path = SpanPath(self._data_path).fill(span)
            result.tags |= {"data.span": str(span.number), "data.path": self._data_path}
            if span.version is not None:
                result.tags["data.version"] = str(span.version)

    def _split_statistics(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        statistics = self._statistics = {
            split: statistics_pb2.DatasetFeatureStatisticsList.FromString(content)
            for split, content in _read_splits(output.uri, "FeatureStats.pb")
        }
        self.rows = [
            Metric(f"rows/{split}", float(found.datasets[0].num_examples), 0, outcome.end_ms)
            for split, found in statistics.items()
        ] + self._aside

        def page() -> bytes:
            from tracking.figures.html_pages import statistics_page

            return statistics_page(statistics).encode()

        is_number = any(
            feature.HasField("num_stats")
            for found in statistics.values()
            for feature in found.datasets[0].features
            if list(feature.path.step) == [self._start.label]
        )
        name = "label_histogram" if is_number else "class_balance"

        def figure() -> bytes:
            from tracking.figures import label  # the import takes a second

            content: bytes = getattr(label, name)(statistics, self._start.label)
            return content

        result.artifacts |= {"data/statistics.html": page, f"data/{name}.png": figure}

    def _schema(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        if outcome.node_id == _SCHEMA_GEN and self._start.params.get("data.schema"):
            return  # ImportSchemaGen has the schema that the data is checked against
        text = Path(output.uri, "schema.pbtxt").read_bytes()
        schema = text_format.Parse(text, schema_pb2.Schema())
        result.artifacts["data/schema.txt"] = lambda: text
        result.datasets = list(
            make_datasets(self._data_path, self._fingerprint, schema, self._statistics)
        )

    def _anomalies(self, result: Projection, _: NodeOutcome, output: Output) -> None:
        anomalies = {
            split: anomalies_pb2.Anomalies.FromString(content)
            for split, content in _read_splits(output.uri, "SchemaDiff.pb")
        }
        found = sorted({name for split in anomalies.values() for name in split.anomaly_info})
        result.tags["anomalies"] = ", ".join(found) or "none"

        def page() -> bytes:
            from tracking.figures.html_pages import anomalies_page

            return anomalies_page(anomalies).encode()

        result.artifacts["data/anomalies.html"] = page

    def _distances(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        report = read_distances(output.uri)
        kind = report["kind"]
        result.metrics.extend(
            Metric(entity_name(f"{kind}/{found['column']}"), found["distance"], 0, outcome.end_ms)
            for found in report["distances"]
            if found["distance"] is not None
        )
        result.tags[f"{kind}.baseline"] = report["baseline"] or "none"
        content = Path(output.uri, DISTANCES_FILE).read_bytes()
        result.artifacts[f"data/{kind}.json"] = lambda: content

    def _findings(self, result: Projection, _: NodeOutcome, output: Output) -> None:
        lines = list(to_lines(read_findings(output.uri)["findings"]))
        result.tags[WARNINGS_TAG] = "\n".join(shorten(lines)) or "none"
        if lines:
            content = "".join(f"{line}\n" for line in lines).encode()
            result.artifacts["data/warnings.txt"] = lambda: content

    def _model(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        if outcome.node_id == _TRAINER:  # BaselineResolver has a model among its outputs as well
            folder = str(Path(output.uri, _SERVING_DIR))
            trained_on = self._statistics.get(
                "train", statistics_pb2.DatasetFeatureStatisticsList()
            )
            result.model = TrainedModel(folder, outcome.end_ms, trained_on)

    def _model_run(self, result: Projection, _: NodeOutcome, output: Output) -> None:
        result.tags["tensorboard.logdir"] = output.uri
        self.read_training(result, Path(output.uri))
        result.metrics.extend(best_points(self._evaluated, self._directions()))

    def _directions(self) -> dict[str, Direction]:
        """Reads the direction of `train.best_metric` from the settings, if it is set."""
        metric, best_is = (self._start.params.get(f"train.best_{end}") for end in ("metric", "is"))
        if metric is None or best_is is None:
            return {}
        return {metric: 1 if to_best(best_is) == "max" else -1}

    def _tuner_results(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        trials = list(self._trials.read(Path(output.uri)))
        if outcome.computed_by is None:  # else they are below the run that made them
            result.trials.extend(trials)
        best = self._trials.best()
        if best is not None and best.score is not None:
            result.tags |= {
                f"{TUNED_TAG}{key}": json.dumps(value) for key, value in best.params.items()
            }
            result.tags[TRIAL_NUMBER_TAG] = str(best.number)
            key = entity_name(f"tuner/best_{best.objective}")
            result.metrics.append(Metric(key, best.score, best.step or 0, outcome.end_ms))

    def _evaluation(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        summary = self.summary = read_summary(output.uri)
        result.metrics.extend(
            Metric(entity_name(name), value, 0, outcome.end_ms)
            for name, value in evaluation_metrics(summary)
        )
        result.tags["thresholds.missed"] = "; ".join(missed_bounds(summary)) or "none"
        result.tags[_TABLES_TAG] = json.dumps([{"path": TABLE_FILE, "type": "table"}])
        result.artifacts |= evaluation_artifacts(summary)

    def _blessing(self, result: Projection, _: NodeOutcome, output: Output) -> None:
        result.tags["blessed"] = "true" if output.properties.get("blessed") == 1 else "false"

    def _serving_blessing(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        report = read_report(output.uri)
        result.tags["serving.faults"] = "; ".join(report["faults"]) or "none"
        result.metrics.extend(
            Metric(f"serving/{name}", float(report[name]), 0, outcome.end_ms)
            for name in ("greatest_difference", "milliseconds")
            if name in report
        )

    def _pushed_model(self, result: Projection, _: NodeOutcome, output: Output) -> None:
        if output.properties.get("pushed") == 1:
            result.pushed_version = str(output.properties["pushed_version"])
            result.tags["pushed_version"] = result.pushed_version
            result.tags["pushed_path"] = str(output.properties["pushed_destination"])
        else:
            result.tags["pushed_version"] = "none"
            if ROLLED_BACK in output.properties:
                result.tags[ROLLED_BACK] = str(output.properties[ROLLED_BACK])


_READERS: Mapping[str, Callable[[ArtifactReader, Projection, NodeOutcome, Output], None]] = {
    "examples": ArtifactReader._examples,
    "statistics": ArtifactReader._split_statistics,
    "schema": ArtifactReader._schema,
    "anomalies": ArtifactReader._anomalies,
    "distances": ArtifactReader._distances,
    "findings": ArtifactReader._findings,
    "tuner_results": ArtifactReader._tuner_results,
    "model": ArtifactReader._model,
    "model_run": ArtifactReader._model_run,
    "evaluation": ArtifactReader._evaluation,
    "blessing": ArtifactReader._blessing,
    "serving_blessing": ArtifactReader._serving_blessing,
    "pushed_model": ArtifactReader._pushed_model,
}


def _read_splits(uri: str, file_name: str) -> Iterator[tuple[str, bytes]]:
    """Reads a file of each split: first the train split, then the others in alphabetical order."""
    folders = Path(uri).glob("Split-*")
    for folder in sorted(folders, key=lambda folder: (folder.name != "Split-train", folder.name)):
        yield folder.name.removeprefix("Split-"), (folder / file_name).read_bytes()
