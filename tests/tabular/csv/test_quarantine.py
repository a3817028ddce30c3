"""The budget of rows to quarantine."""

import pytest

from tabular.csv.quarantine import Budget


@pytest.mark.parametrize(
    ("budget", "quarantined", "rows", "is_allowed"),
    [
        (Budget(), 0, 10, True),
        (Budget(), 1, 10, False),
        (Budget(max_rows=2), 2, 10, True),
        (Budget(max_rows=2), 3, 10, False),
        (Budget(max_share=0.1), 1, 19, True),
        (Budget(max_share=0.1), 2, 19, False),
        (Budget(max_rows=2, max_share=0.5), 5, 10, True),
    ],
)
def test_budget_allows_the_greater_of_both(
    budget: Budget, quarantined: int, rows: int, is_allowed: bool
) -> None:
    assert budget.allows(quarantined, rows) == is_allowed
