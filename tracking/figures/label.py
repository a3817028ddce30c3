"""Draws the label from TFDV's statistics as PNG; equal input gives equal bytes."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from tensorflow_metadata.proto.v0 import statistics_pb2

from tracking.figures import parts

Statistics = Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]


def class_balance(statistics: Statistics, label: str) -> bytes:
    """Draws the share of examples of each class in each split.

    Args:
        statistics: Statistics by split, in which the label is categorical.
        label: Column of the label.

    Returns:
        A PNG.
    """
    return parts.to_png(_draw_class_balance(statistics, label))


def label_histogram(statistics: Statistics, label: str) -> bytes:
    """Draws a histogram of the label in each split.

    Args:
        statistics: Statistics by split, in which the label is a number.
        label: Column of the label.

    Returns:
        A PNG.
    """
    return parts.to_png(_draw_label_histogram(statistics, label))


def _draw_class_balance(statistics: Statistics, label: str) -> Figure:
    found = _of_label(statistics, label)
    counts = {split: _class_counts(found[split]) if split in found else {} for split in statistics}
    totals = sum((Counter(by_class) for by_class in counts.values()), Counter[str]())
    classes = sorted(totals, key=lambda word: (-totals[word], word))[: parts.MAX_CLASSES]
    figure, axes = parts.make_bar_axes(classes, len(counts))
    for index, (split, by_class) in enumerate(counts.items()):
        total = sum(by_class.values())
        shares = [by_class.get(word, 0) / total if total else 0 for word in classes]
        places, height = parts.bar_places(len(classes), index, len(counts))
        bars = axes.barh(places, shares, height, label=split)
        texts = [
            f"{by_class.get(word, 0):,} ({share:.1%})"
            for word, share in zip(classes, shares, strict=True)
        ]
        axes.bar_label(bars, texts, padding=3, fontsize=8)
    axes.margins(x=0.2)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("share of the split's examples")
    figure.suptitle(parts.title(f"Classes of {parts.shown(label)}", len(totals)))
    parts.add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _class_counts(feature: statistics_pb2.FeatureNameStatistics) -> dict[str, int]:
    """Counts examples by class; empty if the label is not categorical."""
    buckets = feature.string_stats.rank_histogram.buckets
    return {bucket.label: int(bucket.sample_count) for bucket in buckets}


def _of_label(
    statistics: Statistics, label: str
) -> dict[str, statistics_pb2.FeatureNameStatistics]:
    """Finds the statistics of the label in each split that has it."""
    return {
        split: feature
        for split, found in statistics.items()
        for feature in found.datasets[0].features
        if list(feature.path.step) == [label]
    }


def _draw_label_histogram(statistics: Statistics, label: str) -> Figure:
    figure = parts.make_figure(8.5, 5)
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    for split, feature in _of_label(statistics, label).items():
        buckets = [
            bucket
            for histogram in feature.num_stats.histograms
            if histogram.type == statistics_pb2.Histogram.STANDARD
            for bucket in histogram.buckets
            if np.isfinite([bucket.low_value, bucket.high_value]).all()
        ]
        if buckets:
            counts = np.array([bucket.sample_count for bucket in buckets])
            edges = [buckets[0].low_value, *(bucket.high_value for bucket in buckets)]
            axes.stairs(counts / max(counts.sum(), 1), edges, label=split, lw=1.5)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set(xlabel=parts.shown(label), ylabel="share of the split's examples")
    figure.suptitle(f"Values of {parts.shown(label)}")
    parts.add_legend(figure, *axes.get_legend_handles_labels())
    return figure
