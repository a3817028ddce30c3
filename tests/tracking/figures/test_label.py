"""Figures of the label."""

import io
from collections.abc import Mapping

import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure
from tensorflow_metadata.proto.v0 import statistics_pb2

from tracking.figures import label as label_figures

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


def make_numbers(**counts: list[int]) -> Statistics:
    """Statistics of a label from 0 to 1, with these counts in the two halves."""
    result = {}
    for split, (low, high) in counts.items():
        statistics = result[split] = statistics_pb2.DatasetFeatureStatisticsList()
        feature = statistics.datasets.add().features.add()
        feature.path.step.append("price")
        for kind in (statistics_pb2.Histogram.STANDARD, statistics_pb2.Histogram.QUANTILES):
            histogram = feature.num_stats.histograms.add(type=kind)
            histogram.buckets.add(low_value=0, high_value=0.5, sample_count=low)
            histogram.buckets.add(low_value=0.5, high_value=1, sample_count=high)
    return result


def texts_of(figure: Figure) -> list[str]:
    """Lists the texts of ticks, legends and labels."""
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def widths_of(figure: Figure) -> list[list[float]]:
    return [[bar.get_width() for bar in bars] for bars in figure.axes[0].containers]


def test_class_balance_is_the_same_png_each_time() -> None:
    statistics = make_statistics({"train": {"bee": 3, "ant": 1}, "eval": {"ant": 1}})

    png = label_figures.class_balance(statistics, "animal")

    assert matplotlib.image.imread(io.BytesIO(png), "png").ndim == 3
    assert label_figures.class_balance(statistics, "animal") == png


# class_balance


def test_class_balance_sorts_by_count() -> None:
    statistics = make_statistics(
        {"train": {"ant": 2, "bee": 6}, "eval": {"cow": 3, "ant": 2, "bee": 5}}
    )

    figure = label_figures._draw_class_balance(statistics, "animal")

    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ["bee", "ant", "cow"]
    assert widths_of(figure) == [[0.75, 0.25, 0], pytest.approx([0.5, 0.2, 0.3])]
    assert {"6 (75.0%)", "3 (30.0%)", " train", " eval"} <= set(texts_of(figure))


def test_class_balance_limits_the_number_of_classes() -> None:
    statistics = make_statistics({"train": {f"{index:03}": 200 - index for index in range(100)}})

    figure = label_figures._draw_class_balance(statistics, "animal")

    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == [f"{index:03}" for index in range(40)]
    assert "Classes of animal: 40 of 100" in texts_of(figure)


@pytest.mark.parametrize("label", ["legs", "wings"])
def test_class_balance_without_classes_is_empty(label: str) -> None:
    figure = label_figures._draw_class_balance(make_statistics({"train": {"ant": 1}}), label)

    assert widths_of(figure) == [[]]


# label_histogram


def test_label_histogram_draws_shares_by_value() -> None:
    figure = label_figures._draw_label_histogram(make_numbers(train=[1, 3], eval=[2, 0]), "price")

    steps = [patch.get_data() for patch in figure.axes[0].patches]
    assert [np.asarray(step.edges).tolist() for step in steps] == [[0, 0.5, 1]] * 2
    assert [np.asarray(step.values).tolist() for step in steps] == [[0.25, 0.75], [1, 0]]
    assert {"Values of price", "price", " train", " eval"} <= set(texts_of(figure))


def test_label_histogram_is_reproducible() -> None:
    statistics = make_numbers(train=[1, 3])

    png = label_figures.label_histogram(statistics, "price")

    assert matplotlib.image.imread(io.BytesIO(png), "png").ndim == 3
    assert label_figures.label_histogram(statistics, "price") == png


def test_label_histogram_without_label_is_empty() -> None:
    figure = label_figures._draw_label_histogram(make_numbers(train=[1, 3]), "weight")

    assert not figure.axes[0].patches
