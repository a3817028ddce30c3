"""Figures of a classification: what is drawn, and the PNG."""

import io
from collections.abc import Callable
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

from tracking.figures import classification as figures


def make_summary(*classes: str) -> dict[str, Any]:
    """An evaluation without examples of the last class; the first one has 6, the others 2 each."""
    first, *others = classes
    n_others = len(others) - 1
    matrix = np.diag([4] + [1] * n_others + [0])
    matrix[0, -1] = 2
    matrix[np.arange(1, n_others + 1), 0] = 1
    curve = {"roc": [[0.0, 0.0], [0.0, 0.5], [1.0, 1.0]], "auc": 0.75}
    calibration = [[0.25, 0.5, 4.0], [0.75, 0.625, 8.0]]
    return {
        "task": "multiclass",
        "classes": list(classes),
        "confusion_matrix": matrix.tolist(),
        "curves": {word: {"calibration": calibration, **curve} for word in classes[:-1]}
        | {classes[-1]: {"calibration": [[0.125, 0.0, 8.0]]}},
        "slices": [
            {
                "slice": {},
                "metrics": {f"precision/{first}": 0.75, f"recall/{first}": 0.5},
                "baseline": {f"recall/{first}": 0.625},
            }
        ],
    }


def texts_of(figure: Figure) -> list[str]:
    """Lists the texts of ticks, legends and labels."""
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def widths_of(figure: Figure) -> list[list[float]]:
    return [[bar.get_width() for bar in bars] for bars in figure.axes[0].containers]


DRAW: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "confusion_matrix": figures.confusion_matrix,
    "precision_recall": figures.precision_recall,
    "calibration": figures.calibration,
    "roc": figures.roc,
}


# all figures


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", DRAW)
def test_figures_are_reproducible(name: str, n_classes: int) -> None:
    summary = make_summary(*(f"_class $5 to $6, number\n{index}" for index in range(n_classes)))

    png = DRAW[name](summary)

    height, width, _ = matplotlib.image.imread(io.BytesIO(png), "png").shape
    assert 500 < width < 2500
    assert 250 < height < 2500
    assert DRAW[name](summary) == png


@pytest.mark.parametrize("draw", [figures._draw_confusion_matrix, figures._draw_precision_recall])
def test_figures_limit_the_number_of_classes(draw: Callable[[Any], Figure]) -> None:
    # The last class but one has the most examples, the last one has none.
    summary = make_summary(*(f"{index:03}" for index in range(100)))
    summary["confusion_matrix"][98][0] = 20

    figure = draw(summary)

    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == [f"{index:03}" for index in [*range(39), 98]]
    assert any(text.endswith(": 40 of 100") for text in texts_of(figure))


def test_figures_show_words_as_they_are() -> None:
    # A formula, an underscore that legends leave out, a line break, and a long word.
    summary = make_summary("$x$", "_y", "a\nb", "0123456789" * 4, "none")

    texts = texts_of(figures._draw_roc(summary))

    assert " _y  0.750" in texts
    assert r" \$x\$  0.750" in texts  # an escaped dollar in matplotlib
    assert " a b  0.750" in texts
    assert " 0123456789012…7890123456789  0.750" not in texts
    assert any(text.startswith(" 01234") and "…" in text and len(text) < 40 for text in texts)


# confusion_matrix


def test_confusion_matrix_has_shares_and_counts() -> None:
    figure = figures._draw_confusion_matrix(make_summary("ant", "bee", "cow"))

    axes = figure.axes[0]
    assert np.asarray(axes.images[0].get_array()) == pytest.approx(
        np.array([[4 / 6, 0, 2 / 6], [1 / 2, 1 / 2, 0], [0, 0, 0]])
    )
    assert {(*text.get_position(), text.get_text()) for text in axes.texts} == {
        (0, 0, "4"),
        (2, 0, "2"),
        (0, 1, "1"),
        (1, 1, "1"),
    }
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")


def test_confusion_matrix_writes_fractions() -> None:
    summary = make_summary("ant", "bee")
    summary["confusion_matrix"] = [[2000, 0.25], [0, 3]]

    texts = figures._draw_confusion_matrix(summary).axes[0].texts

    assert [text.get_text() for text in texts] == ["2,000", "0.2", "3"]


# precision_recall


def test_precision_recall_has_bars_and_baseline() -> None:
    figure = figures._draw_precision_recall(make_summary("ant", "bee"))

    assert widths_of(figure) == [[0.75, 0], [0.5, 0]]
    (baseline,) = figure.axes[0].lines
    assert np.asarray(baseline.get_xdata()) == pytest.approx([0.625, np.nan], nan_ok=True)
    assert texts_of(figure).count("undefined") == 2
    assert " baseline" in texts_of(figure)


def test_precision_recall_without_a_baseline() -> None:
    summary = make_summary("ant", "bee")
    summary["slices"][0]["baseline"] = None

    figure = figures._draw_precision_recall(summary)

    assert not figure.axes[0].lines
    assert " baseline" not in texts_of(figure)


# precision_recall of two classes


def make_binary_summary() -> dict[str, Any]:
    """Ten examples of 0 and five of 1; four of these are predicted as 1, and two of the others."""
    return {
        "task": "binary",
        "classes": ["0", "1"],
        "confusion_matrix": [[8, 2], [1, 4]],
        "curves": {
            "1": {
                "roc": [[0.0, 0.0], [0.0, 0.4], [0.2, 0.8], [1.0, 1.0]],
                "auc": 0.86,
                "calibration": [[0.25, 0.125, 8.0], [0.75, 0.5, 7.0]],
            }
        },
        "slices": [
            {
                "slice": {},
                "metrics": {"precision": 4 / 6, "recall": 0.8},
                "baseline": {"precision": 0.5, "recall": 0.6},
            }
        ],
        "checks": [],
    }


def test_precision_recall_of_two_classes_is_a_curve() -> None:
    (axes,) = figures._draw_precision_recall_curve(make_binary_summary()).axes

    curve, share, model, baseline = axes.lines
    # Of 5 positives and 10 negatives: 2 and 0, 4 and 2, all.
    assert np.asarray(curve.get_xydata()) == pytest.approx(
        np.array([[0.4, 1], [0.8, 4 / 6], [1, 5 / 15]])
    )
    assert np.asarray(share.get_ydata()).tolist() == pytest.approx([5 / 15] * 2)
    assert np.asarray(model.get_xydata()).tolist() == [pytest.approx([0.8, 4 / 6])]
    assert np.asarray(baseline.get_xydata()).tolist() == [[0.6, 0.5]]


def test_precision_recall_of_one_present_class_is_empty() -> None:
    summary = make_binary_summary()
    del summary["curves"]["1"]["roc"]
    summary["slices"][0] = {"slice": {}, "metrics": {}, "baseline": None}

    (axes,) = figures._draw_precision_recall_curve(summary).axes

    assert not axes.lines


@pytest.mark.parametrize("name", DRAW)
def test_figures_of_two_classes_are_reproducible(name: str) -> None:
    png = DRAW[name](make_binary_summary())

    assert matplotlib.image.imread(io.BytesIO(png), "png").ndim == 3
    assert DRAW[name](make_binary_summary()) == png


@pytest.mark.parametrize("draw", [figures._draw_calibration, figures._draw_roc])
def test_curves_of_two_classes_show_the_positive_one(draw: Callable[[Any], Figure]) -> None:
    (axes,) = draw(make_binary_summary()).axes

    assert len(axes.lines) == 2  # the diagonal and one curve


# calibration and roc


def test_calibration_draws_shares_by_probability() -> None:
    (axes,) = figures._draw_calibration(make_summary("ant", "bee")).axes

    _, ant, bee = axes.lines
    assert np.asarray(ant.get_xydata()).tolist() == [[0.25, 0.5], [0.75, 0.625]]
    assert np.asarray(bee.get_xydata()).tolist() == [[0.125, 0]]
    small, large = axes.collections[0].get_sizes()
    assert small < large


def test_roc_draws_the_classes_that_have_a_curve() -> None:
    figure = figures._draw_roc(make_summary("ant", "bee"))

    _, ant = figure.axes[0].lines
    assert np.asarray(ant.get_xydata()).tolist() == [[0, 0], [0, 0.5], [1, 1]]
    assert " ant  0.750" in texts_of(figure)
    assert not any("bee" in text for text in texts_of(figure))


@pytest.mark.parametrize("draw", [figures._draw_calibration, figures._draw_roc])
def test_curves_of_many_classes_get_a_square_each(draw: Callable[[Any], Figure]) -> None:
    figure = draw(make_summary(*(f"c{index}" for index in range(13))))

    drawn = [axes for axes in figure.axes if axes.lines]
    assert len(drawn) == (12 if draw is figures._draw_roc else 13)
    assert all(len(axes.lines) == 2 for axes in drawn)
    assert [axes.get_title().split()[0] for axes in drawn[:2]] == ["c0", "c1"]
