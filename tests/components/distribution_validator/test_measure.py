"""Distances between columns, compared with their formulas."""

import numpy as np
import pytest

from components.distribution_validator.measure import Distance, measure_distances
from tests.helpers.measured_data import Columns, measure


def distance(found: Columns, baseline: Columns, column: str = "x") -> Distance:
    return measure_distances(measure(found), measure(baseline))[column]


def test_measure_distances_of_words_is_l_infinity() -> None:
    # Shares of a, b, c: 0.5, 0.25, 0.25 against 0.25, 0.75, 0.
    found = distance({"x": ["a", "a", "b", "c"]}, {"x": ["b", "b", "b", "a"]})

    assert found.measure == "l_infinity"
    assert found.value == pytest.approx(0.5)


def test_measure_distances_of_a_whole_number_label() -> None:
    found = distance({"label": [0, 0, 0, 1]}, {"label": [0, 1, 1, 1]}, "label")

    assert found.measure == "l_infinity"
    assert found.value == pytest.approx(0.5)


def divergence(p: list[float], q: list[float]) -> float:
    """Computes the Jensen-Shannon divergence to base 2 by its definition."""
    m = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return sum(
        x * np.log2(x / y) / 2 for shares in (p, q) for x, y in zip(shares, m, strict=True) if x > 0
    )


@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize(
    ("p", "q"),
    [
        ([1, 0], [0, 1]),
        ([1, 0], [0.5, 0.5]),
        ([0.3, 0.7], [0.7, 0.3]),
        ([0.5, 0.5, 0], [0, 0.5, 0.5]),
        ([0.25, 0.75], [0.25, 0.75]),
    ],
)
def test_measure_distances_of_numbers_is_the_divergence(
    kind: type, p: list[float], q: list[float]
) -> None:
    def column(shares: list[float]) -> Columns:
        counts = [round(200 * share) for share in shares]
        return {"x": [kind(value) for value, n in enumerate(counts) for _ in range(n)]}

    found = distance(column(p), column(q))

    assert found.measure == "jensen_shannon"
    assert found.value == pytest.approx(divergence(p, q), abs=0.01)


@pytest.mark.parametrize(
    ("name", "bound"),
    [("normal", 0.01), ("lognormal", 0.01), ("mostly_zero", 0.01), ("whole", 0.01)],
)
def test_measure_distances_of_one_distribution_is_small(name: str, bound: float) -> None:
    generator = np.random.default_rng(1)

    def sample() -> list[float]:
        values = {
            "normal": generator.normal(size=3000),
            "lognormal": generator.lognormal(0, 2, 3000),
            "mostly_zero": generator.lognormal(5, 2, 3000) * (generator.random(3000) < 0.1),
            "whole": generator.integers(0, 10, 3000).astype(float),
        }
        return list(map(float, values[name]))

    assert distance({"x": sample()}, {"x": sample()}).value == pytest.approx(0, abs=bound)


def test_measure_distances_ignores_outliers() -> None:
    generator = np.random.default_rng(1)
    here = [*generator.normal(0, 1, 3000), 1e9]
    there = [*generator.normal(1, 1, 3000), 1e9]

    # Two normal distributions of variance 1 whose means differ by 1: 0.16 by integration.
    assert distance({"x": here}, {"x": there}).value == pytest.approx(0.16, abs=0.02)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # TFDV's mean of them
def test_measure_distances_takes_infinite_numbers() -> None:
    ends = [float("-inf"), *map(float, range(98)), float("inf")]

    assert distance({"x": ends}, {"x": ends[1:-1]}).value == pytest.approx(0, abs=0.01)


def test_measure_distances_of_equal_columns_is_0() -> None:
    columns: Columns = {"x": [0.5, 1.5, 2.5], "y": ["a", "b", "b"]}

    found = measure_distances(measure(columns), measure(columns))

    assert {name: each.value for name, each in found.items()} == pytest.approx({"x": 0, "y": 0})


@pytest.mark.parametrize(
    ("found", "baseline", "obstacle"),
    [
        ({"x": [1.5]}, {"y": [1.5]}, "found no such column in that data"),
        ({"x": [1.5]}, {"x": ["a"]}, "found numbers, but words in that data"),
        ({"x": ["a"]}, {"x": [1]}, "found words, but numbers in that data"),
        ({"x": [1.5]}, {"x": [None]}, "found only empty cells in that data"),
        ({"x": [None]}, {"x": [1.5]}, "found only empty cells"),
    ],
)
def test_measure_distances_names_obstacles(
    found: Columns, baseline: Columns, obstacle: str
) -> None:
    assert distance(found, baseline) == Distance(None, None, obstacle)


def test_measure_distances_compares_ints_with_floats() -> None:
    assert distance({"x": [1, 2, 3]}, {"x": [1.0, 2.0, 3.0]}).value == pytest.approx(0, abs=1e-9)
