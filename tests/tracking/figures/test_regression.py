"""Figures of a regression: what is drawn, and the PNG."""

import io
from collections.abc import Callable
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from tracking.figures import regression as figures


def make_summary(
    actual_predicted: list[list[float]] | None = None,
    predicted_residual: list[list[float]] | None = None,
) -> dict[str, Any]:
    """An evaluation with bins of widths 0.5 and 2, and of widths 2 and 0.25."""
    histograms = {
        "actual_predicted": {
            "widths": [0.5, 2.0],
            "cells": actual_predicted or [[2, 1, 4.0], [4, 1, 1.0]],
        },
        "predicted_residual": {
            "widths": [2.0, 0.25],
            "cells": predicted_residual or [[1, -4, 4.0], [1, 0, 1.0], [5, -4, 2.0]],
        },
    }
    return {"task": "regression", "slices": [], "histograms": histograms, "checks": []}


DRAW: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "predicted_by_actual": figures.predicted_by_actual,
    "residuals": figures.residuals,
    "residuals_by_prediction": figures.residuals_by_prediction,
}


@pytest.mark.parametrize("histograms", [make_summary()["histograms"], {}])
@pytest.mark.parametrize("name", DRAW)
def test_figures_are_the_same_png_each_time(name: str, histograms: dict[str, Any]) -> None:
    summary = {**make_summary(), "histograms": histograms}

    png = DRAW[name](summary)

    assert matplotlib.image.imread(io.BytesIO(png), "png").ndim == 3
    assert DRAW[name](summary) == png


def drawn_cells(figure: Figure) -> list[tuple[list[float], list[float], float]]:
    """Lists the lower left and upper right corner of each cell, and its weight."""
    (collection, *_) = figure.axes[0].collections
    corners = [path.vertices for path in collection.get_paths()]
    weights = np.asarray(collection.get_array()).tolist()
    return [(c[0].tolist(), c[2].tolist(), w) for c, w in zip(corners, weights, strict=True)]


def test_predicted_by_actual_places_the_cells() -> None:
    figure = figures._draw_predicted_by_actual(make_summary())

    assert drawn_cells(figure) == [([1.0, 2.0], [1.5, 4.0], 4.0), ([2.0, 2.0], [2.5, 4.0], 1.0)]
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("label", "prediction")


def test_predicted_by_actual_leaves_out_outliers() -> None:
    cells = [[float(index), float(index), 1.0] for index in range(2000)]
    summary = make_summary(actual_predicted=[*cells, [1e9, 1e9, 1.0]])

    axes = figures._draw_predicted_by_actual(summary).axes[0]

    assert axes.get_xlim()[1] < 2000
    assert axes.get_xlim()[0] < 1
    assert axes.get_ylim()[1] < 2 * 2200


def test_residuals_draws_a_bar_for_each_bin() -> None:
    (axes,) = figures._draw_residuals(make_summary()).axes

    bars = [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in axes.patches]
    assert bars == [(-1.0, 0.25, 6.0), (0.0, 0.25, 1.0)]


def test_residuals_by_prediction_draws_bands() -> None:
    # Predictions about 3 with residuals -1, 0 and 1, and about 11 with 2.
    cells = [[1, -4, 1.0], [1, 0, 8.0], [1, 4, 1.0], [5, 8, 90.0]]

    axes = figures._draw_residuals_by_prediction(make_summary(predicted_residual=cells)).axes[0]

    medians, _ = axes.lines
    assert np.asarray(medians.get_xydata())[[0, -1]].tolist() == [[3, 0.125], [11, 2.125]]
    first = axes.collections[1].get_segments()[0]
    assert first[:, 1].tolist() == [-0.875, 0.125]


@pytest.mark.parametrize(
    ("shares", "expected"), [((0.0, 1.0), [1, 5]), ((0.25, 0.5), [1, 3]), ((0.26,), [3])]
)
def test_quantiles_are_by_weight(shares: tuple[float, ...], expected: list[float]) -> None:
    found = figures._quantiles(np.array([3.0, 1.0, 5.0]), np.array([2.0, 1.0, 1.0]), shares)

    assert found.tolist() == expected
