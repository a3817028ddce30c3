"""Counting in Beam, with single examples and with batches."""

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics.metric_types import MetricKey, StandardMetricInputs

from components.evaluator import scores
from components.evaluator.combining import Counting, derived

CONFIG = tfma.EvalConfig(model_specs=[tfma.ModelSpec(prediction_key="probabilities")])
LABELS = np.array([0, 1, 1, 0, 1])
PROBABILITIES = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0.0, 1.0], [0.125, 0.875]])
WEIGHTS = np.array([1.0, 2.0, 0.5, 1.0, 4.0])


def combine(*bundles: list[slice], is_weighted: bool = True, n_times: int = 1) -> scores.Totals:
    """Combines batches of examples in bundles, as Beam does."""
    key = MetricKey("accuracy", example_weighted=is_weighted)
    combiner = derived(key, CONFIG, Counting(scores.count, scores.merge), id)[0].combiner
    accumulators = []
    for bundle in bundles:
        accumulator = combiner.create_accumulator()
        for batch in bundle * n_times:
            extracts = {
                tfma.LABELS_KEY: LABELS[batch],
                tfma.PREDICTIONS_KEY: {"probabilities": PROBABILITIES[batch], "logits": None},
                tfma.EXAMPLE_WEIGHTS_KEY: WEIGHTS[batch],
            }
            accumulator = combiner.add_input(accumulator, StandardMetricInputs(extracts))
        accumulators.append(accumulator)
    accumulators.append(combiner.create_accumulator())  # a bundle without examples
    (totals,) = combiner.extract_output(combiner.merge_accumulators(accumulators)).values()
    assert isinstance(totals, scores.Totals)
    return totals


WHOLE = scores.count(LABELS, PROBABILITIES, WEIGHTS)


@pytest.mark.parametrize(
    "bundles",
    [
        [[slice(0, 5)]],
        [[slice(0, 3), slice(3, 5)]],
        [[slice(0, 3)], [slice(3, 5)]],
        [[slice(i, i + 1) for i in range(5)]],
    ],
    ids=["a batch", "batches", "bundles", "examples"],
)
def test_combiner_counts_examples_in_any_bundles(bundles: list[list[slice]]) -> None:
    totals = combine(*bundles)

    assert (totals.examples, totals.weight) == (5, 8.5)
    assert totals.loss == pytest.approx(WHOLE.loss)
    assert totals.confusion_matrix.tolist() == WHOLE.confusion_matrix.tolist()
    for found, expected in zip(totals.scores_by_class, WHOLE.scores_by_class, strict=True):
        assert found.tolist() == expected.tolist()


def test_combiner_counts_more_than_fit_in_a_batch() -> None:
    totals = combine([slice(i, i + 1) for i in range(5)], n_times=500)

    assert totals.examples == 2500
    assert totals.confusion_matrix.tolist() == (500 * WHOLE.confusion_matrix).tolist()


def test_combiner_ignores_weights_by_default() -> None:
    assert combine([slice(0, 5)], is_weighted=False).weight == 5
