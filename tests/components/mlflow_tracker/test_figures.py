"""The figures: what is drawn, and that it becomes a PNG."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.mlflow_tracker import figures

Statistics = dict[str, statistics_pb2.DatasetFeatureStatisticsList]


def make_statistics(counts: Mapping[str, Mapping[str, int]], label: str = "animal") -> Statistics:
    result = {}
    for split, by_class in counts.items():
        statistics = result[split] = statistics_pb2.DatasetFeatureStatisticsList()
        features = statistics.datasets.add().features
        features.add().path.step.append("legs")
        feature = features.add()
        feature.path.step.append(label)
        for word, count in by_class.items():
            feature.string_stats.rank_histogram.buckets.add(label=word, sample_count=count)
    return result


def make_summary(*classes: str) -> dict[str, Any]:
    """An evaluation in which the last class is never there: 6 examples of the first, 2 of each."""
    first, *others = classes
    n_others = len(others) - 1
    matrix = np.diag([4] + [1] * n_others + [0])
    matrix[0, -1] = 2
    matrix[np.arange(1, n_others + 1), 0] = 1
    curve = {"roc": [[0.0, 0.0], [0.0, 0.5], [1.0, 1.0]], "auc": 0.75}
    calibration = [[0.25, 0.5, 4.0], [0.75, 0.625, 8.0]]
    return {
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
    """Reads the words of ticks, legends and labels, as they are shown."""
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


# all of them


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", DRAW)
def test_figures_of_evaluations_are_the_same_png_each_time(name: str, n_classes: int) -> None:
    summary = make_summary(*(f"_class $5 to $6, number\n{index}" for index in range(n_classes)))

    png = DRAW[name](summary)

    height, width, _ = matplotlib.image.imread(io.BytesIO(png), "png").shape
    assert 500 < width < 2500
    assert 250 < height < 2500
    assert DRAW[name](summary) == png


def test_class_balance_is_the_same_png_each_time() -> None:
    statistics = make_statistics({"train": {"bee": 3, "ant": 1}, "eval": {"ant": 1}})

    png = figures.class_balance(statistics, "animal")

    assert matplotlib.image.imread(io.BytesIO(png), "png").ndim == 3
    assert figures.class_balance(statistics, "animal") == png


@pytest.mark.parametrize("draw", [figures._draw_confusion_matrix, figures._draw_precision_recall])
def test_figures_draw_no_more_classes_than_can_be_read(draw: Callable[[Any], Figure]) -> None:
    # The last but one has most examples, the last has none.
    summary = make_summary(*(f"{index:03}" for index in range(100)))
    summary["confusion_matrix"][98][0] = 20

    figure = draw(summary)

    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == [f"{index:03}" for index in [*range(39), 98]]
    assert any(text.endswith(": 40 of 100") for text in texts_of(figure))


def test_figures_show_words_as_they_are() -> None:
    # A formula, what legends leave out, a line break, and too much.
    summary = make_summary("$x$", "_y", "a\nb", "0123456789" * 4, "none")

    texts = texts_of(figures._draw_roc(summary))

    assert " _y  0.750" in texts
    assert r" \$x\$  0.750" in texts  # matplotlib's way to write a dollar
    assert " a b  0.750" in texts
    assert " 0123456789012…7890123456789  0.750" not in texts
    assert any(text.startswith(" 01234") and "…" in text and len(text) < 40 for text in texts)


# class_balance


def test_class_balance_draws_shares_by_falling_count() -> None:
    statistics = make_statistics(
        {"train": {"ant": 2, "bee": 6}, "eval": {"cow": 3, "ant": 2, "bee": 5}}
    )

    figure = figures._draw_class_balance(statistics, "animal")

    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ["bee", "ant", "cow"]
    assert widths_of(figure) == [[0.75, 0.25, 0], pytest.approx([0.5, 0.2, 0.3])]
    assert {"6 (75.0%)", "3 (30.0%)", " train", " eval"} <= set(texts_of(figure))


def test_class_balance_draws_no_more_classes_than_can_be_read() -> None:
    statistics = make_statistics({"train": {f"{index:03}": 200 - index for index in range(100)}})

    figure = figures._draw_class_balance(statistics, "animal")

    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == [f"{index:03}" for index in range(40)]
    assert "Classes of animal: 40 of 100" in texts_of(figure)


@pytest.mark.parametrize("label", ["legs", "wings"])
def test_class_balance_of_what_has_no_classes_is_empty(label: str) -> None:
    figure = figures._draw_class_balance(make_statistics({"train": {"ant": 1}}), label)

    assert widths_of(figure) == [[]]


# confusion_matrix


def test_confusion_matrix_shades_by_share_of_the_true_class_and_writes_counts() -> None:
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


# precision_recall


def test_precision_recall_draws_bars_by_class_with_the_baseline() -> None:
    figure = figures._draw_precision_recall(make_summary("ant", "bee"))

    assert widths_of(figure) == [[0.75, 0], [0.5, 0]]
    (baseline,) = figure.axes[0].lines
    assert np.asarray(baseline.get_xdata()) == pytest.approx([0.625, np.nan], nan_ok=True)
    assert texts_of(figure).count("undefined") == 2
    assert " baseline" in texts_of(figure)


def test_precision_recall_without_a_baseline_draws_none() -> None:
    summary = make_summary("ant", "bee")
    summary["slices"][0]["baseline"] = None

    figure = figures._draw_precision_recall(summary)

    assert not figure.axes[0].lines
    assert " baseline" not in texts_of(figure)


# calibration and roc


def test_calibration_draws_observed_shares_over_probabilities() -> None:
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
