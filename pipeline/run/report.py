"""What came out of a run, from the outcomes of its nodes; the artifacts are read without TFX."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.data_gate.report import read_findings, to_lines
from components.evaluator.summary import read_summary
from components.pusher.versions import ROLLED_BACK
from components.serving_check.report import read_report
from tabular.csv.quarantine import QUARANTINE_FILE
from tracking.events import NodeOutcome, Output

EXAMPLE_GEN, DATA_GATE, EVALUATOR, SERVING_CHECK, PUSHER = (
    "CsvExampleGen",
    "DataGate",
    "Evaluator",
    "ServingCheck",
    "Pusher",
)


@dataclass(frozen=True)
class Report:
    """A run, as its user sees it.

    Attributes:
        pipeline_run_id: TFX's name of the run.
        mlflow_run_id: MLflow's, None if it was not tracked.
        outcomes: What each node that ran came to.
        evaluation: The evaluation's summary, empty if there was none; see
            `components.evaluator.summary`.
        blessed: Whether every threshold held; None if nothing was evaluated.
        pushed_version: The version under which the model is served, None if it was not pushed.
        pushed_path: Its folder.
        serving_faults: What the exported model answers wrongly, a line each.
        warnings: What is wrong with the data that the run went on with, a line each.
        notes: What could not be found out about the data, a line each.
        rolled_back_version: The version of this model in whose place another was promoted, which is
            why it was not pushed; else None.
    """

    pipeline_run_id: str
    mlflow_run_id: str | None
    outcomes: Sequence[NodeOutcome]
    evaluation: Mapping[str, Any]
    blessed: bool | None
    pushed_version: str | None
    pushed_path: str | None
    serving_faults: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    rolled_back_version: str | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics of the whole split that the model is judged by."""
        return dict(self.evaluation["slices"][0]["metrics"]) if self.evaluation else {}

    @property
    def baseline(self) -> dict[str, float]:
        """The same of the model compared with; empty where there was none."""
        return dict(self.evaluation["slices"][0]["baseline"] or {}) if self.evaluation else {}

    def to_json(self) -> dict[str, Any]:
        """Gives the object that `pipeline run --json` prints."""
        return {
            "pipeline_run_id": self.pipeline_run_id,
            "mlflow_run_id": self.mlflow_run_id,
            "blessed": self.blessed,
            "serving_faults": list(self.serving_faults),
            "pushed_version": self.pushed_version,
            "pushed_path": self.pushed_path,
            "rolled_back_version": self.rolled_back_version,
            "metrics": self.metrics,
            "warnings": list(self.warnings),
            "nodes": [
                {"id": outcome.node_id, "state": outcome.state, "seconds": outcome.seconds}
                for outcome in self.outcomes
            ],
        }


def make_report(
    pipeline_run_id: str, mlflow_run_id: str | None, outcomes: Sequence[NodeOutcome]
) -> Report:
    """Reads what the nodes left.

    Args:
        pipeline_run_id: TFX's name of the run.
        mlflow_run_id: MLflow's, if it was tracked.
        outcomes: The nodes' outcomes, in their order.

    Returns:
        The report.
    """
    blessing = find_output(outcomes, EVALUATOR, "blessing")
    evaluation = find_output(outcomes, EVALUATOR, "evaluation")
    check = find_output(outcomes, SERVING_CHECK, "serving_blessing")
    pushed = find_output(outcomes, PUSHER, "pushed_model")
    examples = find_output(outcomes, EXAMPLE_GEN, "examples")
    gate = find_output(outcomes, DATA_GATE, "findings")
    findings = read_findings(gate.uri) if gate else {"findings": [], "notes": []}
    is_pushed = pushed is not None and pushed.properties.get("pushed") == 1
    return Report(
        pipeline_run_id=pipeline_run_id,
        mlflow_run_id=mlflow_run_id,
        outcomes=tuple(outcomes),
        evaluation=read_summary(evaluation.uri) if evaluation else {},
        blessed=bool(blessing.properties.get("blessed")) if blessing else None,
        pushed_version=str(pushed.properties["pushed_version"]) if pushed and is_pushed else None,
        pushed_path=str(pushed.properties["pushed_destination"]) if pushed and is_pushed else None,
        serving_faults=read_report(check.uri)["faults"] if check else (),
        warnings=(*_put_aside(examples), *to_lines(findings["findings"])),
        notes=tuple(findings["notes"]),
        rolled_back_version=pushed.properties.get(ROLLED_BACK) if pushed else None,
    )


def _put_aside(examples: Output | None) -> Iterator[str]:
    """Says how many rows are not among the examples, and where they are."""
    quarantined = int(examples.properties.get("quarantined", 0)) if examples else 0
    if examples and quarantined:
        path = Path(examples.uri, QUARANTINE_FILE)
        yield f"{quarantined:,} of {examples.properties['rows']:,} rows are put aside in {path}"


def find_output(outcomes: Sequence[NodeOutcome], node_id: str, key: str) -> Output | None:
    """Finds the one artifact of a node under a key, or None if the node gave none."""
    for outcome in outcomes:
        if outcome.node_id == node_id and outcome.outputs.get(key):
            return outcome.outputs[key][0]
    return None
