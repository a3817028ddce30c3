"""Projects the artifacts of a run, which are read without TensorFlow."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.evaluator.summary import read_summary
from components.pusher.versions import ROLLED_BACK
from components.serving_check.report import read_report
from tracking.events import NodeOutcome, Output, RunStart
from tracking.projection.data_artifacts import DataReader
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
        summary: Summary of the evaluation; empty before Evaluator.
    """

    def __init__(self, start: RunStart) -> None:
        """Starts with nothing read.

        Args:
            start: How the run began.
        """
        self.summary: dict[str, Any] = {}
        self._start = start
        self._data = data = DataReader(start)
        self._curves = CurveReader()
        self._evaluated: list[Metric] = []
        self._trials = TrialReader()
        self._readers: Mapping[str, Callable[[Projection, NodeOutcome, Output], None]] = {
            "examples": data.examples,
            "statistics": data.statistics_of_splits,
            "schema": data.schema,
            "anomalies": data.anomalies,
            "distances": data.distances,
            "findings": data.findings,
            "tuner_results": self._tuner_results,
            "model": self._model,
            "model_run": self._model_run,
            "evaluation": self._evaluation,
            "blessing": self._blessing,
            "serving_blessing": self._serving_blessing,
            "pushed_model": self._pushed_model,
        }

    @property
    def rows(self) -> list[Metric]:
        """Number of rows of each split; empty before StatisticsGen."""
        return self._data.rows

    def read(self, result: Projection, outcome: NodeOutcome) -> None:
        """Projects the outputs of a node.

        Args:
            result: The projection to add to.
            outcome: How the node ended.
        """
        for key, outputs in outcome.outputs.items():
            ids = ", ".join(str(output.artifact_id) for output in outputs)
            result.tags[f"mlmd.artifact.{outcome.node_id}.{key}"] = ids
            reader = self._readers.get(key)
            if reader is not None:
                for output in outputs:
                    reader(result, outcome, output)
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

    def _model(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        if outcome.node_id == _TRAINER:  # BaselineResolver has a model among its outputs as well
            folder = str(Path(output.uri, _SERVING_DIR))
            trained_on = self._data.statistics.get(
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
