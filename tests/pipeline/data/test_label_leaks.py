"""How well a single column predicts the label."""

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.data.label_leaks import UNKNOWN, ClassTarget, NumberTarget, Values

RNG = np.random.default_rng(5)
N = 2_000
NOISE = RNG.normal(size=N)
CLASSES = RNG.integers(0, 3, N)


def values_of(column: Sequence[object] | np.ndarray, *, is_ordered: bool = False) -> Values:
    distinct, codes = np.unique(np.asarray(column), return_inverse=True)
    return Values(codes.astype(np.int64), len(distinct), is_ordered)


def numbers_of(column: np.ndarray) -> Values:
    return values_of(column, is_ordered=True)


def test_class_target_of_copies_is_zero() -> None:
    error = ClassTarget(CLASSES).error_left
    assert error(values_of(CLASSES)) == 0
    assert error(numbers_of(CLASSES * -1000)) == 0
    assert error(values_of([f"class {n}" for n in CLASSES])) == 0


def test_class_target_counts_by_hand() -> None:
    # 60 rows of a and 60 of b. Of value 1: 59 a and 1 b; of value 2: 58 b; c once each is no help.
    classes = np.array([0] * 59 + [1] + [1] * 58 + [0, 1])
    values = values_of([1] * 60 + [2] * 58 + [3, 4])
    # Wrong are the b of value 1, and of the two single ones that which is not of the first class.
    assert ClassTarget(classes).error_left(values) == 2 / 60


def test_class_target_of_steps_is_near_zero() -> None:
    steps = np.digitize(NOISE, [-1.0, 0.0, 0.3])
    assert ClassTarget(steps).error_left(numbers_of(NOISE)) < 0.001
    assert (
        ClassTarget(steps).error_left(values_of(NOISE)) > 0.9
    )  # words that come once tell nothing


@pytest.mark.parametrize("distinct", [2, 50, N // 2, N])
@pytest.mark.parametrize("is_ordered", [True, False])
def test_class_target_of_noise_is_large(distinct: int, is_ordered: bool) -> None:
    column = RNG.integers(0, distinct, N)
    assert ClassTarget(CLASSES).error_left(values_of(column, is_ordered=is_ordered)) > 0.4


def test_class_target_of_a_good_feature_is_above_a_hundredth() -> None:
    assert ClassTarget(CLASSES).error_left(numbers_of(NOISE + 4 * CLASSES)) > 0.02
    mostly = np.where(RNG.random(N) < 0.98, CLASSES, 0)
    assert ClassTarget(CLASSES).error_left(values_of(mostly)) > 0.01


def test_class_target_of_few_rows_is_unknown() -> None:
    classes = np.array([0] * 1000 + [1] * 49)
    assert ClassTarget(classes).error_left(values_of(classes)) == UNKNOWN


def test_class_target_takes_missing_as_a_value() -> None:
    classes = np.array([0] * 100 + [1] * 100)
    missing = Values(np.array([1] * 100 + [0] * 100), 1, is_ordered=True)
    assert ClassTarget(classes).error_left(missing) == 0


@pytest.mark.parametrize(
    "label",
    [NOISE, NOISE * 1000, np.exp(5 * NOISE), NOISE**2, np.round(NOISE), np.sin(NOISE)],
    ids=["copy", "scaled", "exp", "square", "rounded", "sine"],
)
def test_number_target_of_functions_is_near_zero(label: np.ndarray) -> None:
    assert NumberTarget(label).error_left(numbers_of(NOISE)) < 0.005


def test_number_target_of_words_is_that_of_their_means() -> None:
    levels = RNG.integers(0, 5, N)
    assert NumberTarget(levels * 2.5).error_left(values_of([f"level {n}" for n in levels])) < 1e-9
    assert NumberTarget(levels + NOISE).error_left(values_of(levels)) > 0.1


@pytest.mark.parametrize("is_ordered", [True, False])
def test_number_target_of_noise_is_about_one(is_ordered: bool) -> None:
    column = RNG.normal(size=N)
    assert NumberTarget(NOISE).error_left(values_of(column, is_ordered=is_ordered)) > 0.9


def test_number_target_does_not_follow_one_outlier() -> None:
    label, column = NOISE.copy(), RNG.normal(size=N)
    label[7], column[7] = 1e9, 1e9
    assert NumberTarget(label).error_left(numbers_of(column)) > 0.9


def test_number_target_of_few_rows_or_one_number_is_unknown() -> None:
    assert NumberTarget(NOISE[:99]).error_left(numbers_of(NOISE[:99])) == UNKNOWN
    assert NumberTarget(np.ones(N)).error_left(numbers_of(NOISE)) == UNKNOWN


def test_number_target_of_one_value_is_about_one() -> None:
    assert NumberTarget(NOISE).error_left(numbers_of(np.ones(N))) == pytest.approx(1, abs=0.01)


def test_rough_errors_are_small_where_errors_are() -> None:
    steps = np.digitize(NOISE, [-1.0, 0.0, 0.3])
    columns = np.stack([NOISE, np.round(steps * 7.0), RNG.normal(size=N)], axis=1)
    assert (ClassTarget(steps).rough_errors(columns) < [0.01, 0.01, np.inf]).all()
    assert ClassTarget(steps).rough_errors(columns)[2] > 0.4
    assert (NumberTarget(NOISE).rough_errors(columns)[[0]] < 0.01).all()
    assert NumberTarget(NOISE).rough_errors(columns)[2] > 0.9


def test_class_target_counts_alike_for_few_and_many_values() -> None:
    classes = RNG.integers(0, 40, N)
    column = RNG.integers(0, 1_500, N)
    few = values_of(column)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.data.label_leaks._MAX_TABLE", 0)
        by_sorting = ClassTarget(classes).error_left(few)
    assert ClassTarget(classes).error_left(few) == by_sorting
