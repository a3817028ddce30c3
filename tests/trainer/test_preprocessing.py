"""The preprocessing_fn, run by Transform on Beam, and the same features in serving."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_transform as tft

from tests.helpers.preprocessed import Table, analyze, serve

# Transform emits it for a batch in which a column has only missing values; the NaN has no effect.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in divide:RuntimeWarning")

WORDS = [b"b", b"a", b"c", b"a", None, b"b"]
DATES = [
    *(b"2024-02-29", b"2023-01-01T23:30:00-01:30", b"2023-02-29", None),
    *(b"1999-12-31 00:00:59.9Z", b"2024-05-06T12:34"),
]
PARTS = [
    *("year", "quarter", "month", "week", "day", "day_of_year", "weekday", "hour", "minute", "days")
]
COLUMNS: dict[str, list[Any]] = {
    "price": [None, None, 4.0, 100.0, -5.0, 6.0],
    "age": [2.0, 6.0, None, 4.0, 10.0, 2.0],
    "income": [0.0, 3.0, None, None, 0.0, 3.0],
    "bare": [1.0, 2.0, 3.0, 4.0, 5.0, 9.0],
    "constant": [7.7] * 6,
    "constant_log": [7.7] * 6,
    "whole": [-2.0, 0.0, 2.0, 4.0, -2.0, 4.0],
    "empty": [None] * 6,
    "empty_range": [None] * 6,
    "quantile": [1.0, 2.0, 3.0, 4.0, None, None],
    "range": [-1.0, 0.0, 5.0, 10.0, None, 1e9],
    "city": WORDS,
    "top": WORDS,
    "often": WORDS,
    "code": [0.0, 2.0, 3.0, 1.5, None, -1.0],
    "link": WORDS,
    "flag": [b"Yes", b"no", b"TRUE", b"maybe", None, b"0"],
    ".top/flag": [b"JA", "ÖJ".encode(), b"nej", b"true", b"ja", b"Nej"],
    "day": DATES,
    "unused": [b"?"] * 6,
    "weight": [1, 2, 3, 4, 5, 6],
    "label": [b"pear tree", b"Zebra", "Öl".encode(), b"apple", b"apple", b"Zebra"],
}
SETTINGS: dict[str, Any] = {
    "label": "label",
    "weight": "weight",
    "features": {
        "price": {"kind": "numeric", "fill": "mean", "missing_indicator": True, "clip": [0, 10]},
        "age": {"kind": "numeric", "scale": "min_max", "fill": 3},
        "income": {"kind": "numeric", "scale": "log1p", "fill": "mean"},
        "bare": {"kind": "numeric", "scale": "raw"},
        "constant": "numeric",
        "constant_log": {"kind": "numeric", "scale": "log1p"},
        "whole": "numeric",
        "empty": "numeric",
        "empty_range": {"kind": "numeric", "scale": "min_max"},
        "quantile": {"kind": "bucketized", "buckets": 2},
        "range": {"kind": "bucketized", "boundaries": [0, 10]},
        "city": "categorical",
        "top": {"kind": "categorical", "size": 1, "oov_buckets": 2},
        "often": {"kind": "categorical", "min_count": 2},
        "code": {"kind": "categorical", "ids": "identity", "size": 3},
        "link": {"kind": "categorical", "ids": "hash", "size": 7},
        "flag": "boolean",
        ".top/flag": {"kind": "boolean", "true_words": ["Ja", "öj"], "false_words": ["NEJ"]},
        "day": {"kind": "datetime", "parts": PARTS},
        "unused": "ignore",
        "both": {"kind": "crossed", "columns": ["city", "flag"]},
    },
}
# Expected numbers, (x - center) / spread:
# price: clipped 4, 10, 0, 6; mean 5, variance (1+25+25+1)/4 = 13. Missing: the mean.
# age: 2 to 10. Missing: 3.
# income: log(1 + x) is 0 and log 4, mean log 2, deviation log 2. Missing: x = (0+3+0+3)/4 = 1.5.
# whole: mean 1, variance (9+1+1+9+9+9)/6 = 19/3.
# year: 2024, 2023, 1999, 2024; mean 2017.5, variance (6.5²+5.5²+18.5²+6.5²)/4 = 114.25.
# day_of_year: 60, 2, 365, 127; mean 138.5, variance (78.5² + 136.5² + 226.5² + 11.5²)/4 = 19057.25.
# days since 1970: 19782, 19359 and an hour, 10956, 19849 and 754 minutes.
DAYS = np.array([19782, 19359 + 1 / 24, 10956, 19849 + 754 / 1440])
MISSING_INCOME = math.log(2.5 / 2) / math.log(2)
NUMBERS = {
    "price": np.array([0, 0, -1, 5, -5, 1]) / math.sqrt(13),
    "price_missing": [1, 1, 0, 0, 0, 0],
    "age": [0, 0.5, 0.125, 0.25, 1, 0],
    "income": [-1, 1, MISSING_INCOME, MISSING_INCOME, -1, 1],
    "bare": COLUMNS["bare"],
    "constant": [0] * 6,
    "constant_log": [0] * 6,
    "whole": np.array([-3, -1, 1, 3, -3, 3]) / math.sqrt(19 / 3),
    "empty": [0] * 6,
    "empty_range": [0] * 6,
    "day_year": np.array([6.5, 5.5, 0, 0, -18.5, 6.5]) / math.sqrt(114.25),
    "day_day_of_year": np.array([-78.5, -136.5, 0, 0, 226.5, -11.5]) / math.sqrt(19057.25),
    "day_days": np.insert((DAYS - DAYS.mean()) / DAYS.std(), [2, 2], 0),
    "weight": [1, 2, 3, 4, 5, 6],
}
# Expected ids:
# quantile: half of the values are below 3.
# city: b and a come twice, c once: b 0, a 1, c 2, others 3, missing 4.
# top: b 0, others 1 or 2, missing 3. often: b 0, a 1, others 2, missing 3.
# day: 2023-01-01 23:30 in a zone 90 minutes behind is 01:00 of Monday, 2 January; 2023-02-29
# does not exist. 29 February 2024 was a Thursday, 31 December 1999 a Friday, 6 May 2024 a Monday.
IDS = {
    "quantile": [0, 0, 1, 1, 2, 2],
    "range": [0, 1, 1, 2, 3, 2],
    "city": [0, 1, 2, 1, 4, 0],
    "often": [0, 1, 2, 1, 3, 0],
    "code": [0, 2, 3, 3, 3, 3],
    "flag": [1, 0, 1, 2, 2, 0],
    ".top/flag": [1, 1, 0, 2, 1, 0],
    "day_quarter": [0, 0, 4, 4, 3, 1],
    "day_week": [8, 0, 53, 53, 51, 18],
    "day_month": [1, 0, 12, 12, 11, 4],
    "day_day": [28, 1, 31, 31, 30, 5],
    "day_weekday": [3, 0, 7, 7, 4, 0],
    "day_hour": [0, 1, 24, 24, 0, 12],
    "day_minute": [0, 0, 60, 60, 0, 34],
    "label": [2, 0, 3, 1, 1, 0],  # by bytes: Zebra, apple, pear tree, Öl
}
Analysis = tuple[Table, tft.TFTransformOutput]


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return analyze(COLUMNS, SETTINGS, tmp_path_factory.mktemp("kinds"))


@pytest.fixture(scope="module")
def served(analysis: Analysis) -> Table:
    """The features that the exported model computes for the same rows without label and weight."""
    columns = {name: COLUMNS[name] for name in SETTINGS["features"] if name in COLUMNS}
    return serve(columns, SETTINGS, analysis[1])


# every kind of feature


@pytest.mark.parametrize("name", NUMBERS)
def test_preprocessing_fn_scales_numbers(analysis: Analysis, name: str) -> None:
    column = analysis[0][name]

    assert (column.dtype, column.shape) == (np.float32, (6, 1))
    np.testing.assert_allclose(column.ravel(), NUMBERS[name], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", IDS)
def test_preprocessing_fn_makes_ids(analysis: Analysis, name: str) -> None:
    column = analysis[0][name]

    assert column.dtype == np.int64
    np.testing.assert_array_equal(column, np.array(IDS[name])[:, np.newaxis])


def test_preprocessing_fn_hashes_oov_words(analysis: Analysis) -> None:
    b, a, c, a_again, missing, b_again = analysis[0]["top"].ravel()

    assert (b, b_again, missing) == (0, 0, 3)
    assert {a, c} <= {1, 2}
    assert a == a_again


def test_preprocessing_fn_hashes_words(analysis: Analysis) -> None:
    b, a, c, a_again, missing, b_again = analysis[0]["link"].ravel()

    assert (a, b, missing) == (a_again, b_again, 7)
    assert {a, b, c} <= set(range(7))
    assert len({a, b, c}) > 1


def test_preprocessing_fn_has_no_other_outputs(analysis: Analysis) -> None:
    assert set(analysis[0]) == {*NUMBERS, *IDS, "top", "link"}


def test_preprocessing_fn_similar_names_differ(
    tmp_path: Path,
) -> None:
    columns = {"a/b": [b"x", b"x"], "a.b": [b"y", b"z"], "label": [b"0", b"1"]}
    settings = {"label": "label", "features": dict.fromkeys(("a/b", "a.b"), "categorical")}

    table, _ = analyze(columns, settings, tmp_path)

    assert (table["a/b"].tolist(), table["a.b"].tolist()) == ([[0], [0]], [[1], [0]])


# the served model


def test_serving_matches_transform(analysis: Analysis, served: Table) -> None:
    assert set(served) == set(analysis[0]) - {"label", "weight"}
    for name, column in served.items():
        np.testing.assert_array_equal(column, analysis[0][name], err_msg=name)


def test_serving_accepts_new_missing_values(analysis: Analysis) -> None:
    columns = {name: [None] for name in SETTINGS["features"]}

    features = serve(columns, SETTINGS, analysis[1])

    # bare: the mean (1+2+3+4+5+9)/6 = 4.
    numbers = {"bare": 4, "constant": 0, "whole": 0, "price": 0, "age": 0.125, "price_missing": 1}
    ids = {"range": 3, "city": 4, "top": 3, "code": 3, "link": 7, "flag": 2, ".top/flag": 2}
    for name, expected in {**numbers, **ids}.items():
        assert features[name].item() == pytest.approx(expected, abs=1e-6), name


def test_serving_uses_train_statistics(analysis: Analysis) -> None:
    cells: dict[str, Any] = {
        "price": 7.0,
        "age": 14.0,
        "income": -7.0,
        "bare": math.inf,
        "range": math.inf,
        "quantile": 2.9,
        "city": b"\xff unseen",
        "often": b"c",
        "flag": b"\xff",
    }
    columns = {name: [cells.get(name)] for name in SETTINGS["features"]}

    features = serve(columns, SETTINGS, analysis[1])

    expected = {
        "price": 2 / math.sqrt(13),
        "age": 1.5,
        "income": -1,
        "bare": 4,
        "range": 2,
        "quantile": 0,
        "city": 3,
        "often": 2,
        "flag": 2,
    }
    for name, value in expected.items():
        assert features[name].item() == pytest.approx(value, rel=1e-6), name
