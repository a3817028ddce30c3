"""The numbers of rows."""

import pytest

from tabular.csv.row_counts import LostRowsError, RowCounts


def test_row_counts_add_up() -> None:
    counts = RowCounts(6, 4, 1, 1) + RowCounts(1000, 1000, 0, 0)

    counts.check()

    assert str(counts) == "1,006 read = 1,004 examples + 1 quarantined + 1 unlabeled"


@pytest.mark.parametrize("counts", [(7, 4, 1, 1), (5, 4, 1, 1), (6, 4, 1, 0), (0, 0, 0, 1)])
def test_row_counts_check_refuses_lost_rows(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(LostRowsError, match="do not add up"):
        RowCounts(*counts).check()


def test_row_counts_from_properties() -> None:
    properties = {"rows": 9, "quarantined": 2, "unlabeled": 1, "examples_a": 4, "examples_b": 2}

    assert RowCounts.from_properties({**properties, "span": 7}) == RowCounts(9, 6, 2, 1)
