"""Whether low or high values of a metric are better."""

import pytest

from tracking.projection.metric_direction import direction_of


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("loss", -1),
        ("average_loss", -1),
        ("cross_entropy", -1),
        ("best_rmse", -1),
        ("mean_absolute_error", -1),
        ("accuracy", 1),
        ("auc_precision_recall", 1),
        ("r2", 1),
        ("accuracy_baseline", 0),
        ("label/mean", 0),
        ("example_count", 0),
        ("mean_prediction", 0),
        ("lossless", 0),
    ],
)
def test_direction_of_reads_the_words_of_the_name(metric: str, direction: int) -> None:
    assert direction_of(metric) == direction
