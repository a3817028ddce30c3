"""The results of a run, read from the results and artifacts of its nodes without TFX."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.data_gate.report import read_findings, to_lines
from components.evaluator.summary import read_summary
from components.pusher.versions import ROLLED_BACK
from components.serving_check.report import read_report
from pipeline.run.node_result import NodeResult
from tabular.csv.quarantine import QUARANTINE_FILE
from tabular.csv.row_counts import RowCounts
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
    """The results of a run that the user is shown.

    Attributes:
        pipeline_run_id: TFX's name of the run.
        mlflow_run_id: MLflow's id of the run, None if it was not tracked.
        nodes: The results of the nodes that ran, in their order.
        evaluation: The summary of the evaluation, described in `components.evaluator.summary`;
            empty if there was no evaluation.
        blessed: Whether every threshold held; None if nothing was evaluated.
        pushed_version: The version under which the model is served, None if it was not pushed.
        pushed_path: The folder of that version.
        serving_faults: Errors in the predictions of the exported model, one line each.
        warnings: Problems in the data that did not stop the run, one line each.
        notes: Checks of the data that could not be made, one line each.
        rolled_back_version: An earlier version of this model that was rolled back, which is why the
            model was not pushed; None otherwise.
        rows: What became of the rows that were read; None if no node read any.
    """

    pipeline_run_id: str
    mlflow_run_id: str | None
    nodes: Sequence[NodeResult]
    evaluation: Mapping[str, Any]
    blessed: bool | None
    pushed_version: str | None
    pushed_path: str | None
    serving_faults: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    rolled_back_version: str | None = None
    rows: RowCounts | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics of the whole split that the model is judged by; empty without an evaluation."""
        return dict(self.evaluation["slices"][0]["metrics"]) if self.evaluation else {}

    @property
    def baseline(self) -> dict[str, float]:
        """The same metrics of the baseline; empty if there was none."""
        return dict(self.evaluation["slices"][0]["baseline"] or {}) if self.evaluation else {}

    def to_json(self) -> dict[str, Any]:
        """Makes the object that `pipeline run --json` prints."""
        return {
            "pipeline_run_id": self.pipeline_run_id,
            "mlflow_run_id": self.mlflow_run_id,
            "blessed": self.blessed,
            "serving_faults": list(self.serving_faults),
            "pushed_version": self.pushed_version,
            "pushed_path": self.pushed_path,
            "rolled_back_version": self.rolled_back_version,
            "metrics": self.metrics,
            "rows": asdict(self.rows) if self.rows else None,
            "warnings": list(self.warnings),
            "nodes": [
                {"id": node.node_id, "state": node.state, "seconds": node.seconds}
                for node in self.nodes
            ],
        }


def make_report(
    pipeline_run_id: str, mlflow_run_id: str | None, nodes: Sequence[NodeResult]
) -> Report:
    """Makes the report from the artifacts of the nodes.

    Args:
        pipeline_run_id: TFX's name of the run.
        mlflow_run_id: MLflow's id of the run, None if it was not tracked.
        nodes: The results of the nodes, in their order.

    Returns:
        The report.
    """
    blessing = find_output(nodes, EVALUATOR, "blessing")
    evaluation = find_output(nodes, EVALUATOR, "evaluation")
    check = find_output(nodes, SERVING_CHECK, "serving_blessing")
    pushed = find_output(nodes, PUSHER, "pushed_model")
    examples = find_output(nodes, EXAMPLE_GEN, "examples")
    gate = find_output(nodes, DATA_GATE, "findings")
    findings = read_findings(gate.uri) if gate else {"findings": [], "notes": []}
    is_pushed = pushed is not None and pushed.properties.get("pushed") == 1
    return Report(
        pipeline_run_id=pipeline_run_id,
        mlflow_run_id=mlflow_run_id,
        nodes=tuple(nodes),
        rows=RowCounts.from_properties(examples.properties) if examples else None,
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
    """Says how many rows were put aside instead of becoming examples, and where they are."""
    quarantined = int(examples.properties.get("quarantined", 0)) if examples else 0
    if examples and quarantined:
        path = Path(examples.uri, QUARANTINE_FILE)
        yield f"{quarantined:,} of {examples.properties['rows']:,} rows are put aside in {path}"


def find_output(nodes: Iterable[NodeResult | NodeOutcome], node_id: str, key: str) -> Output | None:
    """Finds the first artifact of a node under an output key, None if there is none."""
    for node in nodes:
        if node.node_id == node_id and node.outputs.get(key):
            return node.outputs[key][0]
    return None
