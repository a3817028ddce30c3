"""What is found out about columns."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.table_profiler import profile_columns
from pipeline.data.value_counts import MAX_VALUES

Cells = Sequence[str | None]


def profile_of(*batches: Cells, decimal: str = ".") -> ColumnProfile:
    columns = [pa.array(cells, pa.string()) for cells in batches]
    records = [pa.RecordBatch.from_arrays([column], ["x"]) for column in columns]
    return profile_columns(records, decimal)["x"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", "-3"], "integer"),
        (["1", "2.5", "1e3"], "number"),
        (["1", "a"], "words"),
        (["0x1F", "0x2F"], "words"),
        (["yes", "No"], "boolean"),
        (["0", "1"], "boolean"),
        (["1", "1"], "integer"),
        (["yes", "1"], "words"),
        ([None, None], "empty"),
        (["2024-05-01", "2023-12-31"], "date"),
        (["2024-05-01T10:30:00Z", "2024-05-01 11:00"], "date"),
        (["31.12.2023", "01.02.2024"], "date"),
        (["1/5/2023 9:30", "12/31/2024 23:00"], "date"),
        (["20240501", "20231231"], "date"),
        (["20240501", "20231331"], "integer"),
        (["2024-05-01", "2024-13-01"], "words"),
    ],
)
def test_profile_finds_the_narrowest_kind(cells: Cells, kind: str) -> None:
    assert profile_of(cells).kind == kind


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (["1"], ["2.5"], "number"),
        (["1"], ["a"], "words"),
        (["2024-05-01"], ["1"], "words"),
        (["yes"], ["no"], "boolean"),
        ([None], ["2"], "integer"),
    ],
)
def test_profile_widens_a_kind_over_batches(first: Cells, second: Cells, kind: str) -> None:
    assert profile_of(first, second).kind == kind


def test_profile_counts_rows_gaps_and_values() -> None:
    profile = profile_of(["a", None, "b"], ["a", "ccc"])

    assert (profile.rows, profile.missing, profile.values) == (5, 1, {"a": 2, "b": 1, "ccc": 1})
    assert (profile.distinct, profile.distinct_share, profile.top_share) == (3, 0.75, 0.5)
    assert (profile.mean_length, profile.longest) == (1.5, 3)


def test_top_share_is_unknown_without_values() -> None:
    assert profile_of([None]).top_share is None


def test_profile_measures_numbers_as_scipy_does() -> None:
    numbers = np.random.default_rng(1).exponential(3, 500) + 1e6
    cells = [repr(float(number)) for number in numbers]
    read = np.array(cells, float)

    profile = profile_of(cells[:200], cells[200:])

    assert (profile.least, profile.greatest) == (read.min(), read.max())
    assert profile.skewness == pytest.approx(stats.skew(read), rel=1e-6)


@pytest.mark.parametrize("cells", [["5", "5"], ["1e300", "-1e300", "1e299"], ["inf", "inf"]])
def test_skewness_is_0_if_unknown(cells: Cells) -> None:
    assert profile_of(cells).skewness == 0


def test_profile_reads_a_decimal_comma() -> None:
    profile = profile_of(["1,5", "2"], decimal=",")
    assert (profile.kind, profile.least, profile.greatest) == ("number", 1.5, 2)
    assert profile_of(["1.5", "2"], decimal=",").kind == "words"


def test_profile_gives_the_kind_but_null_words() -> None:
    profile = profile_of(["1", "NA"], ["2.5", "?"])
    assert (profile.kind, profile.kind_but_null_words) == ("words", "number")
    assert profile.null_words == ("NA", "?")


def test_profile_finds_booleans_but_null_words() -> None:
    profile = profile_of(["yes", "no"], ["?"])
    assert (profile.kind, profile.kind_but_null_words) == ("words", "boolean")
    assert profile.null_words == ("?",)


def test_profile_of_null_words_is_words() -> None:
    profile = profile_of(["NA", "NA"])
    assert (profile.kind, profile.kind_but_null_words) == ("words", "empty")


@pytest.mark.parametrize("distinct", [50_000, 200_000])
def test_profile_estimates_many_values(distinct: int) -> None:
    cells = [f"user{number}" for number in range(distinct)] * 3

    profile = profile_of(*(cells[start : start + 30_000] for start in range(0, len(cells), 30_000)))

    assert profile.values is None
    assert profile.distinct == pytest.approx(distinct, rel=0.1)
    assert profile.distinct_share == pytest.approx(1 / 3)


def test_profile_counts_values_up_to_the_limit() -> None:
    assert len(profile_of([f"w{n}" for n in range(MAX_VALUES)]).values or ()) == MAX_VALUES
    assert profile_of([f"w{n}" for n in range(MAX_VALUES + 1)]).values is None


def test_profile_of_no_rows_is_empty() -> None:
    assert profile_columns([]) == {}


def test_profile_lists_formats_that_fit_all_dates() -> None:
    assert profile_of(["01/02/2024"]).date_formats == ("%m/%d/%Y", "%d/%m/%Y")
    assert profile_of(["01/02/2024", "13/02/2024"]).date_formats == ("%d/%m/%Y",)
    assert profile_of(["2024/05/01 10:30"]).date_formats == ("%Y/%m/%d %H:%M",)
