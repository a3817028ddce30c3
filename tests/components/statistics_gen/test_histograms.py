"""Histograms of equal widths, compared with TFDV's own."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray
from tensorflow_data_validation.utils import quantiles_util

from components.statistics_gen.histograms import equi_width_histogram, fast_histograms

Values = NDArray[np.float64]
TFDV = quantiles_util.generate_equi_width_histogram
INFINITY = float("inf")


def arguments(values: Values, n_bins: int) -> tuple[Values, Values, float, float, int, float]:
    """Makes the arguments of both functions, with exact quantiles of the values."""
    ordered = np.sort(values)
    places = np.linspace(0, len(ordered) - 1, n_bins + 1).round().astype(int)
    quantiles = ordered[places]
    counts = np.searchsorted(ordered, quantiles, side="right").astype(np.float64)
    finite = ordered[np.isfinite(ordered)]
    least, greatest = (finite[0], finite[-1]) if len(finite) else (-INFINITY, INFINITY)
    return quantiles, counts, least, greatest, 10, float((ordered == INFINITY).sum())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # TFDV's own, where the widths overflow
@pytest.mark.parametrize("n_bins", [1, 2, 10, 1000])
@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(lambda random, n: random.normal(size=n), id="normal"),
        pytest.param(lambda random, n: random.integers(0, 5, n).astype(float), id="few"),
        pytest.param(lambda random, n: random.integers(0, 11, n) / 10, id="tenths"),
        pytest.param(lambda random, n: random.exponential(size=n) ** 8, id="long"),
        pytest.param(lambda random, n: np.full(n, 3.3), id="constant"),
        pytest.param(lambda random, n: np.append(np.zeros(n), random.normal(size=3)), id="zeros"),
        pytest.param(
            lambda random, n: np.where(random.random(n) < 0.2, INFINITY, random.normal(size=n)),
            id="some infinite",
        ),
        pytest.param(
            lambda random, n: random.choice([-INFINITY, -1.0, 0.0, 2.0, INFINITY], n),
            id="both infinities",
        ),
        pytest.param(lambda random, n: random.choice([-1.7e308, 1.7e308], n), id="overflow"),
        pytest.param(lambda random, n: np.full(n, INFINITY), id="all infinite"),
    ],
)
def test_equi_width_histogram_is_that_of_tfdv(
    draw: Callable[[Generator, int], Values], n_bins: int
) -> None:
    random = np.random.default_rng(0)
    for n_values in (1, 2, 7, 300):
        given = arguments(draw(random, n_values), n_bins)
        assert equi_width_histogram(*given) == TFDV(*given)


def test_fast_histograms_are_used_inside_only() -> None:
    with fast_histograms():
        assert quantiles_util.generate_equi_width_histogram is equi_width_histogram
    assert quantiles_util.generate_equi_width_histogram is TFDV
