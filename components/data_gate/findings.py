"""Findings about the data: TFDV's anomalies and distances, with their severity.

A reviewed schema says what the data must be, so TFDV's severities are kept. An inferred schema only
describes the train split: a rare word that only the eval split has, or a first missing value there,
is not an error in the data. These anomalies become warnings, as does any anomaly in a column that
the model does not learn from. A distance above its limit is an error with either kind of schema,
and a warning in a column that the model does not learn from.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.data_gate.anomaly_text import explain

Severity = Literal["error", "warning"]

_Info = anomalies_pb2.AnomalyInfo
_OF_THE_SAMPLE = frozenset(
    {
        _Info.BOOL_TYPE_BIG_INT,
        _Info.BOOL_TYPE_SMALL_INT,
        _Info.BOOL_TYPE_UNEXPECTED_STRING,
        _Info.DOMAIN_INVALID_FOR_TYPE,
        _Info.ENUM_TYPE_UNEXPECTED_STRING_VALUES,
        _Info.FEATURE_TYPE_LOW_FRACTION_PRESENT,
        _Info.FEATURE_TYPE_LOW_NUMBER_PRESENT,
        _Info.INVALID_FEATURE_SHAPE,
        _Info.SCHEMA_NEW_COLUMN,
    }
)
"""Anomalies that a sound split can have if the schema was inferred from another split."""
_SELDOM = 5
"""A value that is expected in fewer examples than this may well be absent from a split."""
_MEASURES = {"l_infinity": "L-infinity", "jensen_shannon": "Jensen-Shannon"}


@dataclass(frozen=True)
class Finding:
    """One problem in the data.

    Attributes:
        severity: `error` or `warning`.
        split: The split, or `drift` or `skew`; empty if all rows are meant.
        column: The column; empty if all columns are meant, or the text names them.
        text: What was expected, what was found, and in how many examples.
    """

    severity: Severity
    split: str
    column: str
    text: str


@dataclass(frozen=True)
class Rules:
    """Decides how severe anomalies are.

    Attributes:
        is_reviewed: Whether the schema was written by a person rather than inferred.
        label: The column to predict.
        columns: All columns that the model learns from, including the label.
        filled: Share of cells of the train split that are not empty, by column.
        of_words: Columns whose cells are tags or text.
    """

    is_reviewed: bool
    label: str
    columns: frozenset[str]
    filled: Mapping[str, float] = field(default_factory=dict)
    of_words: frozenset[str] = frozenset()

    def is_usual(self, column: str, reason: int) -> bool:
        """Whether an anomaly says nothing: texts need not be those of the train split."""
        is_new_cell = reason == _Info.ENUM_TYPE_UNEXPECTED_STRING_VALUES
        return is_new_cell and column in self.of_words and not self.is_reviewed

    def judge(self, column: str, severity: int, reason: int, examples: int) -> Severity:
        """Decides how severe an anomaly is.

        Args:
            column: The column.
            severity: The severity that TFDV gives.
            reason: TFDV's type of the anomaly.
            examples: Number of examples in the split.
        """
        if severity == _Info.WARNING:
            return "warning"
        if self.is_reviewed or column == self.label:
            return "error"
        is_seldom_filled = self.filled.get(column, math.inf) * examples < _SELDOM
        is_harmless = (
            column not in self.columns
            or reason in _OF_THE_SAMPLE
            or (reason == _Info.FEATURE_TYPE_NOT_PRESENT and is_seldom_filled)
        )
        return "warning" if is_harmless else "error"


def find_anomalies(
    split: str,
    anomalies: anomalies_pb2.Anomalies,
    schema: schema_pb2.Schema,
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    rules: Rules,
) -> Iterator[Finding]:
    """Describes the anomalies of a split.

    Args:
        split: The split.
        anomalies: The anomalies that TFDV found.
        schema: The schema that TFDV compared with.
        statistics: Statistics of the split.
        rules: Decide how severe the anomalies are.

    Yields:
        The findings, sorted by column.
    """
    examples = int(statistics.datasets[0].num_examples)
    if anomalies.data_missing:
        yield Finding("error", split, "", "expected examples; found none")
    for reason in anomalies.dataset_anomaly_info.reason:
        severity = rules.judge("", anomalies.dataset_anomaly_info.severity, reason.type, examples)
        yield Finding(severity, split, "", reason.description)
    expected = {feature.name: feature for feature in schema.feature}
    found = {feature.path.step[0]: feature for feature in statistics.datasets[0].features}
    for key, info in sorted(anomalies.anomaly_info.items()):
        column = info.path.step[0] if info.path.step else key
        said: set[str] = set()
        for reason in info.reason:
            if rules.is_usual(column, reason.type):
                continue
            text = explain(
                reason,
                expected.get(column),
                schema,
                found.get(column),
                examples,
            )
            if text is not None and text not in said:
                said.add(text)
                severity = rules.judge(column, info.severity, reason.type, examples)
                yield Finding(severity, split, column, text)


def find_distances(report: Mapping[str, Any], rules: Rules) -> Iterator[Finding]:
    """Finds distances that are above their limit, or that cannot be measured.

    Args:
        report: The object described in `components.distribution_validator.report`.
        rules: Decide how severe the findings are.

    Yields:
        The findings, in the order of the columns in the report.
    """
    for found in report["distances"]:
        limit, value = found["limit"], found["distance"]
        if limit is None or (value is not None and value <= limit):
            continue
        what = f"a {_MEASURES[found['measure']]} distance" if found["measure"] else "a distance"
        yield Finding(
            "error" if found["column"] in rules.columns else "warning",
            report["kind"],
            found["column"],
            f"expected {what} of at most {limit:g} to {report['baseline']}; "
            + (found["obstacle"] if value is None else f"found {value:.4g}")
            + f", over {report['examples']:,} examples",
        )
