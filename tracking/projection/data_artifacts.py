"""Projects the artifacts of the data nodes, which are read without TensorFlow."""

from collections.abc import Iterator
from pathlib import Path

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.data_gate.report import read_findings, shorten, to_lines
from components.distribution_validator.report import DISTANCES_FILE, read_distances
from tabular.csv.file_patterns import Span, SpanPath, has_placeholders
from tabular.csv.row_counts import RowCounts
from tracking.events import NodeOutcome, Output, RunStart
from tracking.projection.datasets import make_datasets
from tracking.projection.event_files import Metric
from tracking.projection.names import WARNINGS_TAG, entity_name
from tracking.projection.projection import Projection

_SCHEMA_GEN = "SchemaGen"


class DataReader:
    """Reads the artifacts of the data nodes of one run, in the order of the nodes.

    Attributes:
        rows: Number of rows of each split; empty before StatisticsGen.
        statistics: TFDV's statistics by split; empty before StatisticsGen.
    """

    def __init__(self, start: RunStart) -> None:
        """Starts with nothing read.

        Args:
            start: How the run began.
        """
        self.rows: list[Metric] = []
        self.statistics: dict[str, statistics_pb2.DatasetFeatureStatisticsList] = {}
        self._start = start
        self._counts: list[Metric] = []
        self._data_path = start.data_path
        self._fingerprint = ""

    def examples(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        """Projects the fingerprint, the span, and what became of the rows."""
        if "rows" in output.properties:
            counts = RowCounts.from_properties(output.properties)
            named = {
                "read": counts.read,
                "examples": counts.examples,
                "quarantine": counts.quarantined,
                "unlabeled": counts.unlabeled,
            }
            self._counts = [
                Metric(f"rows/{name}", float(count), 0, outcome.end_ms)
                for name, count in named.items()
            ]
        self._fingerprint = str(output.properties.get("input_fingerprint", ""))
        if self._fingerprint:
            result.tags["data.fingerprint"] = self._fingerprint
        if "span" in output.properties and has_placeholders(self._data_path):
            span = Span(output.properties["span"], output.properties.get("version"))
            self._data_path = SpanPath(self._data_path).fill(span)
            result.tags |= {"data.span": str(span.number), "data.path": self._data_path}
            if span.version is not None:
                result.tags["data.version"] = str(span.version)

    def statistics_of_splits(
        self, result: Projection, outcome: NodeOutcome, output: Output
    ) -> None:
        """Projects the statistics, and a figure of the label."""
        statistics = self.statistics = {
            split: statistics_pb2.DatasetFeatureStatisticsList.FromString(content)
            for split, content in _read_splits(output.uri, "FeatureStats.pb")
        }
        self.rows = [
            Metric(f"rows/{split}", float(found.datasets[0].num_examples), 0, outcome.end_ms)
            for split, found in statistics.items()
        ] + self._counts

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

    def schema(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        """Projects the schema and the datasets."""
        if outcome.node_id == _SCHEMA_GEN and self._start.params.get("data.schema"):
            return  # ImportSchemaGen has the schema that the data is checked against
        text = Path(output.uri, "schema.pbtxt").read_bytes()
        schema = text_format.Parse(text, schema_pb2.Schema())
        result.artifacts["data/schema.txt"] = lambda: text
        result.datasets = list(
            make_datasets(self._data_path, self._fingerprint, schema, self.statistics)
        )

    def anomalies(self, result: Projection, _: NodeOutcome, output: Output) -> None:
        """Projects the anomalies."""
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

    def distances(self, result: Projection, outcome: NodeOutcome, output: Output) -> None:
        """Projects drift or skew."""
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

    def findings(self, result: Projection, _: NodeOutcome, output: Output) -> None:
        """Projects the findings of DataGate."""
        lines = list(to_lines(read_findings(output.uri)["findings"]))
        result.tags[WARNINGS_TAG] = "\n".join(shorten(lines)) or "none"
        if lines:
            content = "".join(f"{line}\n" for line in lines).encode()
            result.artifacts["data/warnings.txt"] = lambda: content


def _read_splits(uri: str, file_name: str) -> Iterator[tuple[str, bytes]]:
    """Reads a file of each split: first the train split, then the others in alphabetical order."""
    folders = Path(uri).glob("Split-*")
    for folder in sorted(folders, key=lambda folder: (folder.name != "Split-train", folder.name)):
        yield folder.name.removeprefix("Split-"), (folder / file_name).read_bytes()
