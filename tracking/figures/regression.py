"""Draws the evaluation of a regression as PNG; equal input gives equal bytes.

The axes leave out the lowest and the highest 0.1 % of the examples, so that outliers do not hide
the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tracking.figures import parts

_SHOWN = (0.001, 0.999)
_BANDS = 20
_CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])

Array = NDArray[np.float64]
Summary = Mapping[str, Any]


def predicted_by_actual(summary: Summary) -> bytes:
    """Draws the number of examples by label and prediction."""
    return parts.to_png(_draw_predicted_by_actual(summary))


def residuals(summary: Summary) -> bytes:
    """Draws a histogram of the residuals, label - prediction."""
    return parts.to_png(_draw_residuals(summary))


def residuals_by_prediction(summary: Summary) -> bytes:
    """Draws the number of examples by prediction and residual, with median and spread."""
    return parts.to_png(_draw_residuals_by_prediction(summary))


@dataclass(frozen=True)
class _Cells:
    """A histogram of the summary: lower corner of each cell `[n_cells, 2]`, widths, weights."""

    lows: Array
    widths: Array
    weights: Array

    @property
    def centers(self) -> Array:
        return self.lows + self.widths / 2

    def limits(self, axis: int) -> tuple[float, float]:
        """Computes limits of an axis that leave out outliers, with a margin."""
        low, high = _quantiles(self.centers[:, axis], self.weights, _SHOWN)
        margin = 0.03 * (high - low) + self.widths[axis]
        return low - margin, high + margin


def _read_cells(summary: Summary, name: str) -> _Cells:
    """Reads a histogram; it is empty if no prediction was finite."""
    found = summary["histograms"].get(name, {"widths": [1.0, 1.0], "cells": []})
    cells = np.array(found["cells"], np.float64).reshape(-1, 3)
    cells = cells[cells[:, 2] > 0]
    widths = np.array(found["widths"])
    return _Cells(cells[:, :2] * widths, widths, cells[:, 2])


def _quantiles(values: Array, weights: Array, shares: tuple[float, ...]) -> Array:
    """Computes weighted quantiles: the lowest values that reach each share of the weight."""
    order = np.argsort(values, kind="stable")
    passed = weights[order].cumsum()
    places = passed.searchsorted(np.array(shares) * passed[-1])
    return np.asarray(values[order][np.minimum(places, len(values) - 1)], np.float64)


def _draw_cells(figure: Figure, axes: Axes, cells: _Cells) -> None:
    """Draws the cells that are not empty, shaded by their weight."""
    squares = cells.lows[:, np.newaxis, :] + _CORNERS * cells.widths
    # Edges keep cells visible that are smaller than a pixel.
    drawn = PolyCollection(list(squares), edgecolors="face", linewidths=0.5, cmap="viridis_r")
    drawn.set_norm(LogNorm(cells.weights.min(), max(cells.weights.max(), cells.weights.min() * 2)))
    drawn.set_array(cells.weights)
    axes.add_collection(drawn)
    figure.colorbar(drawn, ax=axes, shrink=0.8).set_label("examples")


def _draw_predicted_by_actual(summary: Summary) -> Figure:
    figure = parts.make_figure(7.5, 6)
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    cells = _read_cells(summary, "actual_predicted")
    if len(cells.weights):
        _draw_cells(figure, axes, cells)
        axes.set(xlim=cells.limits(0), ylim=cells.limits(1))
        axes.axline((0, 0), slope=1, color="gray", linestyle="--", linewidth=1)
    axes.set(xlabel="label", ylabel="prediction")
    figure.suptitle("Predictions by label, examples where both are the same on the line")
    return figure


def _draw_residuals(summary: Summary) -> Figure:
    figure = parts.make_figure(7.5, 5)
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    cells = _read_cells(summary, "predicted_residual")
    if len(cells.weights):
        lows, where = np.unique(cells.lows[:, 1], return_inverse=True)
        axes.bar(lows, np.bincount(where, cells.weights), cells.widths[1], align="edge")
        axes.set_xlim(cells.limits(1))
        axes.axvline(0, color="black", linestyle="--", linewidth=1)
    axes.set(xlabel="residual: label - prediction", ylabel="examples")
    figure.suptitle("Residuals")
    return figure


def _draw_residuals_by_prediction(summary: Summary) -> Figure:
    figure = parts.make_figure(8.5, 5.5)
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    cells = _read_cells(summary, "predicted_residual")
    if len(cells.weights):
        _draw_cells(figure, axes, cells)
        _draw_bands(axes, cells)
        axes.set(xlim=cells.limits(0), ylim=cells.limits(1))
        axes.axhline(0, color="gray", linestyle="--", linewidth=1)
        parts.add_legend(figure, *axes.get_legend_handles_labels())
    axes.set(xlabel="prediction", ylabel="residual: label - prediction")
    figure.suptitle("Residuals by prediction")
    return figure


def _draw_bands(axes: Axes, cells: _Cells) -> None:
    """Draws median and spread of the residuals in bands with equal numbers of examples."""
    predictions, residuals_ = cells.centers.T
    order = np.argsort(predictions, kind="stable")
    before = cells.weights[order].cumsum() - cells.weights[order]
    band = np.minimum((before / cells.weights.sum() * _BANDS).astype(int), _BANDS - 1)
    # A bin of predictions belongs to the band of its first cell.
    _, first, where = np.unique(predictions[order], return_index=True, return_inverse=True)
    band = band[first][where]
    rows = []
    for each in np.unique(band):
        inside = order[band == each]
        weights = cells.weights[inside]
        spread = _quantiles(residuals_[inside], weights, (0.1, 0.5, 0.9))
        rows.append((np.average(predictions[inside], weights=weights), *spread))
    middles, lows, medians, highs = np.array(rows).T
    axes.vlines(middles, lows, highs, color="black", lw=1.5, label="middle 80%")
    axes.plot(middles, medians, "ok", ms=4, label="median")
