"""Shows TFDV's statistics and anomalies as HTML pages."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape

from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2

from tracking.figures import html_parts as html

_MAX_WORDS = 10

Columns = Mapping[str, Mapping[str, statistics_pb2.FeatureNameStatistics]]
"""Column to split to statistics; splits without any value of the column are absent."""


def statistics_page(
    statistics: Mapping[str, statistics_pb2.DatasetFeatureStatisticsList],
) -> str:
    """Makes a page of TFDV's statistics, with the splits of a column below each other.

    Args:
        statistics: Statistics by split.

    Returns:
        A self-contained page. The histograms of a column have the same axes in all splits.
    """
    examples = {split: found.datasets[0].num_examples for split, found in statistics.items()}
    columns: dict[str, dict[str, statistics_pb2.FeatureNameStatistics]] = {}
    for split, found in statistics.items():
        for feature in found.datasets[0].features:
            name = ".".join(feature.path.step) or feature.name
            columns.setdefault(name, {})[split] = feature
    numeric = {name: column for name, column in columns.items() if _is_numeric(column.values())}
    others = {name: column for name, column in columns.items() if name not in numeric}
    sizes = ", ".join(f"{escape(split)} {html.number(n)}" for split, n in examples.items())
    body = f'<p class="quiet">Examples: {sizes}</p>'
    if numeric:
        heads = ("mean", "std", "zeros", "min", "median", "max")
        body += "<h2>Numbers</h2>"
        body += _table(numeric, examples, heads, "histogram", _numeric_cells)
    if others:
        body += "<h2>Categories</h2>"
        body += _table(others, examples, ("unique",), "most frequent", _word_cells)
    return html.page("Statistics", body)


Cells = Callable[[Iterable[statistics_pb2.FeatureNameStatistics]], Iterator[str]]


def _table(
    columns: Columns,
    examples: Mapping[str, int],
    numbers: Sequence[str],
    plot: str,
    cells_of: Cells,
) -> str:
    """Makes a table of columns of one kind; `cells_of` makes the cells after the counts."""
    heads = [html.head("column"), html.head("split")]
    heads += [html.head(name, "number") for name in ("count", "missing", *numbers)]
    heads.append(html.head(plot))
    groups = []
    for name, column in columns.items():
        cells = dict(zip(column, cells_of(column.values()), strict=True))
        lines = [
            html.cell(escape(split))
            + _counts(column.get(split), n_examples)
            + cells.get(split, html.cell("", columns=len(numbers) + 1))
            for split, n_examples in examples.items()
        ]
        lines[0] = html.head(escape(name), rows=len(lines)) + lines[0]
        groups.append("".join(html.row(line) for line in lines))
    return html.table(heads, groups)


def _counts(feature: statistics_pb2.FeatureNameStatistics | None, n_examples: int) -> str:
    kind = feature.WhichOneof("stats") if feature else None
    present = getattr(feature, kind).common_stats.num_non_missing if kind else 0
    missing = n_examples - present
    share = f" ({missing / n_examples:.1%})" if missing else ""
    return html.cell(html.number(present), "number") + html.cell(
        html.number(missing) + share, "number"
    )


def _is_numeric(column: Iterable[statistics_pb2.FeatureNameStatistics]) -> bool:
    return all(feature.HasField("num_stats") for feature in column)


def _numeric_cells(column: Iterable[statistics_pb2.FeatureNameStatistics]) -> Iterator[str]:
    found = [feature.num_stats for feature in column]
    plots = html.histograms([_buckets(numbers) for numbers in found])
    for numbers, plot in zip(found, plots, strict=True):
        spread = (numbers.mean, numbers.std_dev, numbers.num_zeros)
        values = (*spread, numbers.min, numbers.median, numbers.max)
        yield "".join(html.cell(html.number(value), "number") for value in values) + html.cell(plot)


def _buckets(numbers: statistics_pb2.NumericStatistics) -> list[html.Bucket]:
    """Reads the buckets of equal width, without infinite ones, which cannot be drawn."""
    buckets = [
        (bucket.low_value, bucket.high_value, bucket.sample_count)
        for histogram in numbers.histograms
        if histogram.type == statistics_pb2.Histogram.STANDARD
        for bucket in histogram.buckets
        if math.isfinite(bucket.low_value) and math.isfinite(bucket.high_value)
    ]
    total = sum(count for _, _, count in buckets) or 1
    return [(low, high, count / total) for low, high, count in buckets]


def _word_cells(column: Iterable[statistics_pb2.FeatureNameStatistics]) -> Iterator[str]:
    for feature in column:
        words = feature.string_stats
        count = words.common_stats.num_non_missing or 1
        shown = words.top_values[:_MAX_WORDS]
        lines = "".join(
            html.row(
                html.cell(escape(top.value), "word"),
                html.cell(html.number(top.frequency), "number"),
                html.cell(html.share_bar(top.frequency / count)),
            )
            for top in shown
        )
        more = words.unique - len(shown)
        rest = f'<p class="quiet">and {html.number(more)} more</p>' if more > 0 else ""
        yield html.cell(html.number(words.unique), "number") + html.cell(
            f'<table class="words">{lines}</table>{rest}'
        )


def anomalies_page(anomalies: Mapping[str, anomalies_pb2.Anomalies]) -> str:
    """Makes a page of the anomalies.

    Args:
        anomalies: TFDV's anomalies by split.

    Returns:
        A self-contained page.
    """
    body = '<p class="quiet">Each split, compared with the schema.</p>'
    heads = [html.head(name) for name in ("column", "severity", "what", "details")]
    for split, found in anomalies.items():
        rows = list(_anomaly_rows(found))
        body += f"<h2>{escape(split)}</h2>"
        body += html.table(heads, rows) if rows else "<p>No anomalies.</p>"
    return html.page("Anomalies", body)


def _anomaly_rows(found: anomalies_pb2.Anomalies) -> Iterator[str]:
    if found.data_missing:
        yield html.row(html.head("all"), html.cell("ERROR", "ERROR"), html.cell("No examples"))
    infos = [("all", found.dataset_anomaly_info)] if found.HasField("dataset_anomaly_info") else []
    infos += sorted(found.anomaly_info.items(), key=lambda item: item[0])
    for key, info in infos:
        severity = anomalies_pb2.AnomalyInfo.Severity.Name(info.severity)
        yield html.row(
            html.head(escape(".".join(info.path.step) or key)),
            html.cell(severity, severity),
            html.cell(escape(info.short_description), "word"),
            html.cell(escape(info.description), "text"),
        )
