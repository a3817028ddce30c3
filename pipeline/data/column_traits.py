"""Properties of columns that follow from their profiles."""

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.row_ids import MAX_DISTINCT_SHARE
from pipeline.data.value_counts import MAX_INTEGERS, ROWS_PER_INTEGER


def is_constant(profile: ColumnProfile) -> bool:
    """Whether all cells are equal. Not if some are missing: that tells rows apart."""
    return profile.distinct == 1 and profile.missing == 0


def is_few_integers(profile: ColumnProfile) -> bool:
    """Whether a column has few enough whole numbers to learn each as a category."""
    return profile.distinct <= MAX_INTEGERS and profile.distinct_share * ROWS_PER_INTEGER <= 1


def is_text(profile: ColumnProfile) -> bool:
    """Whether cells are written language, most of them different."""
    return profile.text_words is not None and profile.distinct_share > MAX_DISTINCT_SHARE
