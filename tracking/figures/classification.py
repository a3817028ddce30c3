"""Draws the evaluation of a classification as PNG; equal input gives equal bytes.

If there are many classes, the most frequent ones are drawn. In a binary task, the curves are those
of the positive class.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from tracking.figures import parts

Summary = Mapping[str, Any]


def confusion_matrix(summary: Summary) -> bytes:
    """Draws the confusion matrix, shaded by the share of each true class."""
    return parts.to_png(_draw_confusion_matrix(summary))


def precision_recall(summary: Summary) -> bytes:
    """Draws precision and recall of each class, with those of the baseline if there is one.

    In a binary task, it draws the precision-recall curve of the positive class instead.
    """
    is_binary = summary["task"] == "binary"
    draw = _draw_precision_recall_curve if is_binary else _draw_precision_recall
    return parts.to_png(draw(summary))


def calibration(summary: Summary) -> bytes:
    """Draws the observed share of each class by its predicted probability."""
    return parts.to_png(_draw_calibration(summary))


def roc(summary: Summary) -> bytes:
    """Draws the ROC curve of each class that has one, with the area under the curve."""
    return parts.to_png(_draw_roc(summary))


def _drawn_ids(summary: Summary) -> list[int]:
    """Lists the ids of the most frequent classes of the split, in rising order."""
    totals = np.sum(summary["confusion_matrix"], axis=1)
    return sorted(np.argsort(-totals, kind="stable")[: parts.MAX_CLASSES].tolist())


def _drawn_classes(summary: Summary) -> list[str]:
    return [summary["classes"][class_id] for class_id in _drawn_ids(summary)]


def _drawn_curves(summary: Summary) -> dict[str, Any]:
    """Selects the curves of the classes that are drawn."""
    curves = summary["curves"]
    return {word: curves[word] for word in _drawn_classes(summary) if word in curves}


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
    axes.set_title(parts.title("Confusion matrix", len(counts)))
    for row, column in np.argwhere(counts[np.ix_(ids, ids)]).tolist():
        place = ids[row], ids[column]
        color = "white" if shares[place] > 0.5 else "black"
        digits = 0 if float(counts[place]).is_integer() else 1  # sums of weights may be fractions
        text = axes.text(column, row, f"{counts[place]:,.{digits}f}", color=color, fontsize=8)
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
    figure.suptitle(parts.title("Precision and recall by class", len(summary["classes"])))
    parts.add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _draw_precision_recall_curve(summary: Summary) -> Figure:
    """Draws the precision-recall curve, computed from ROC curve and class frequencies."""
    overall = summary["slices"][0]
    negatives, positives = np.sum(summary["confusion_matrix"], axis=1)
    ((word, curve),) = summary["curves"].items()
    figure = parts.make_figure(8.5, 6)
    axes = parts.unit_square(figure.add_subplot(), diagonal=False)
    if "roc" in curve:
        false, true = np.array(curve["roc"])[1:].T * [[negatives], [positives]]
        axes.plot(true / positives, true / np.maximum(true + false, true.max() * 1e-9), label=word)
        share = positives / (positives + negatives)
        axes.axhline(share, color="gray", linestyle="--", linewidth=1, label="of all examples")
    for name, values, mark in (
        ("highest probability", overall["metrics"], "o"),
        ("baseline", overall["baseline"] or {}, "s"),
    ):
        if {"precision", "recall"} <= values.keys():
            axes.plot(values["recall"], values["precision"], f"{mark}k", label=name)
    axes.set(xlabel="recall", ylabel="precision")
    figure.suptitle(f"Precision by recall of {parts.shown(word)}")
    handles, labels = axes.get_legend_handles_labels()
    parts.add_legend(figure, handles, [parts.shown(label) for label in labels])
    return figure


def _draw_calibration(summary: Summary) -> Figure:
    points = {
        word: np.array(curve["calibration"]).T
        for word, curve in _drawn_curves(summary).items()
        if curve["calibration"]
    }

    def draw(axes: Axes, word: str, color: str) -> list[Line2D]:
        predicted, observed, examples = points[word]
        axes.scatter(predicted, observed, 10 + 90 * examples / examples.max(), color=color)
        return axes.plot(predicted, observed, color=color)

    figure = parts.draw_curves({word: parts.shown(word) for word in points}, draw)
    title = "Calibration by class, dots by number of examples"
    figure.suptitle(parts.title(title, len(summary["classes"])))
    figure.supxlabel("mean predicted probability", fontsize=10)
    figure.supylabel("share that is of the class", fontsize=10)
    return figure


def _draw_roc(summary: Summary) -> Figure:
    curves = _drawn_curves(summary)

    def draw(axes: Axes, word: str, color: str) -> list[Line2D]:
        return axes.plot(*np.array(curves[word]["roc"]).T, color=color)

    names = {
        word: f"{parts.shown(word)}  {curve['auc']:.3f}"
        for word, curve in curves.items()
        if "roc" in curve
    }
    figure = parts.draw_curves(names, draw)
    figure.suptitle(parts.title("ROC by class, and area under it", len(summary["classes"])))
    figure.supxlabel("false positive rate", fontsize=10)
    figure.supylabel("true positive rate", fontsize=10)
    return figure
