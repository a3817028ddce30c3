"""Figures of the label and of an evaluation, as PNG: same input, same bytes.

Of many classes, the most frequent are drawn.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.mlflow_tracker import figure_parts as parts

_MAX_CLASSES = 40

Statistics = Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]
Summary = Mapping[str, Any]


def class_balance(statistics: Statistics, label: str) -> bytes:
    """Draws how many examples each class has in each split.

    Args:
        statistics: Split name to its statistics, in which the label is categorical.
        label: Column of the label.

    Returns:
        A PNG.
    """
    return parts.to_png(_draw_class_balance(statistics, label))


def confusion_matrix(summary: Summary) -> bytes:
    """Draws true classes by predicted ones, shaded by the share of the true class."""
    return parts.to_png(_draw_confusion_matrix(summary))


def precision_recall(summary: Summary) -> bytes:
    """Draws precision and recall of each class, and the baseline's where there is one."""
    return parts.to_png(_draw_precision_recall(summary))


def calibration(summary: Summary) -> bytes:
    """Draws, for each class, what share came true of what was predicted with a probability."""
    return parts.to_png(_draw_calibration(summary))


def roc(summary: Summary) -> bytes:
    """Draws the ROC curve of each class that has one, with the area under it."""
    return parts.to_png(_draw_roc(summary))


def _draw_class_balance(statistics: Statistics, label: str) -> Figure:
    counts = {split: _class_counts(found, label) for split, found in statistics.items()}
    totals = sum((Counter(by_class) for by_class in counts.values()), Counter[str]())
    classes = sorted(totals, key=lambda word: (-totals[word], word))[:_MAX_CLASSES]
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
    figure.suptitle(_title(f"Classes of {parts.shown(label)}", len(totals)))
    parts.add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _class_counts(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, label: str
) -> dict[str, int]:
    """Counts examples by class; none of a label that is missing or not categorical."""
    for feature in statistics.datasets[0].features:
        if list(feature.path.step) == [label]:
            buckets = feature.string_stats.rank_histogram.buckets
            return {bucket.label: int(bucket.sample_count) for bucket in buckets}
    return {}


def _title(text: str, n_classes: int) -> str:
    return text if n_classes <= _MAX_CLASSES else f"{text}: {_MAX_CLASSES} of {n_classes}"


def _drawn_ids(summary: Summary) -> list[int]:
    """Gives the ids of the most frequent classes of the split, in their order."""
    totals = np.sum(summary["confusion_matrix"], axis=1)
    return sorted(np.argsort(-totals, kind="stable")[:_MAX_CLASSES].tolist())


def _drawn_classes(summary: Summary) -> list[str]:
    return [summary["classes"][class_id] for class_id in _drawn_ids(summary)]


def _draw_confusion_matrix(summary: Summary) -> Figure:
    ids, counts = _drawn_ids(summary), np.array(summary["confusion_matrix"])
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    side = 3 + 0.3 * len(ids)
    figure = parts.make_figure(side + 1.5, side)
    axes = figure.add_subplot()
    image = axes.imshow(shares[np.ix_(ids, ids)], cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, format=PercentFormatter(1, decimals=0))
    bar.set_label("share of the true class")
    words = [parts.shown(word) for word in _drawn_classes(summary)]
    axes.set_xticks(range(len(words)), words, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(words)), words)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_title(_title("Confusion matrix", len(counts)))
    for row, column in np.argwhere(counts[np.ix_(ids, ids)]).tolist():
        place = ids[row], ids[column]
        color = "white" if shares[place] > 0.5 else "black"
        text = axes.text(column, row, f"{counts[place]:,}", color=color, fontsize=8)
        text.set(ha="center", va="center", in_layout=False)
    return figure


def _draw_precision_recall(summary: Summary) -> Figure:
    classes, overall = _drawn_classes(summary), summary["slices"][0]
    figure, axes = parts.make_bar_axes(classes, 2)
    for index, name in enumerate(("precision", "recall")):
        values = [overall["metrics"].get(f"{name}/{word}") for word in classes]
        places, height = parts.bar_places(len(classes), index, 2)
        bars = axes.barh(places, [value or 0 for value in values], height, label=name)
        texts = ["undefined" if value is None else f"{value:.3f}" for value in values]
        axes.bar_label(bars, texts, padding=6, fontsize=8)
        before = [(overall["baseline"] or {}).get(f"{name}/{word}", np.nan) for word in classes]
        if np.isfinite(before).any():
            axes.plot(before, places, "|k", ms=12, mew=2, label="baseline" if index else "_")
    axes.set_xlim(0, 1.15)
    axes.set_xticks(np.linspace(0, 1, 6))
    figure.suptitle(_title("Precision and recall by class", len(summary["classes"])))
    parts.add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _draw_calibration(summary: Summary) -> Figure:
    points = {
        word: np.array(summary["curves"][word]["calibration"]).T for word in _drawn_classes(summary)
    }

    def draw(axes: Axes, word: str, color: str) -> list[Line2D]:
        predicted, observed, examples = points[word]
        axes.scatter(predicted, observed, 10 + 90 * examples / examples.max(), color=color)
        return axes.plot(predicted, observed, color=color)

    figure = parts.draw_curves({word: parts.shown(word) for word in points}, draw)
    title = "Calibration by class, dots by number of examples"
    figure.suptitle(_title(title, len(summary["classes"])))
    figure.supxlabel("mean predicted probability", fontsize=10)
    figure.supylabel("share that is of the class", fontsize=10)
    return figure


def _draw_roc(summary: Summary) -> Figure:
    curves = {word: summary["curves"][word] for word in _drawn_classes(summary)}

    def draw(axes: Axes, word: str, color: str) -> list[Line2D]:
        return axes.plot(*np.array(curves[word]["roc"]).T, color=color)

    names = {
        word: f"{parts.shown(word)}  {curve['auc']:.3f}"
        for word, curve in curves.items()
        if "roc" in curve
    }
    figure = parts.draw_curves(names, draw)
    figure.suptitle(_title("ROC by class, and area under it", len(summary["classes"])))
    figure.supxlabel("false positive rate", fontsize=10)
    figure.supylabel("true positive rate", fontsize=10)
    return figure
