"""Checks that no row is lost between the files and the statistics."""

from tfx import types
from tfx.types import artifact_utils

from components.data_gate.split_files import read_statistics
from tabular.csv.row_counts import LostRowsError, RowCounts


def check_rows(examples: types.Artifact, statistics: types.Artifact) -> None:
    """Checks the numbers of rows, which also holds for examples taken from the cache.

    Args:
        examples: The examples; their properties say what became of the rows that were read.
        statistics: Statistics of their splits, for which the examples were read and counted.

    Raises:
        LostRowsError: If rows are neither examples nor quarantined nor unlabeled, or if there are
            more or fewer examples than were written.
    """
    splits = artifact_utils.decode_split_names(examples.split_names)
    names = ["rows", "quarantined", "unlabeled", *(f"examples_{split}" for split in splits)]
    properties = {name: examples.get_int_custom_property(name) for name in names}
    RowCounts.from_properties(properties).check()
    for split in splits:
        (dataset,) = read_statistics(statistics, split).datasets
        written = properties[f"examples_{split}"]
        if dataset.num_examples != written:
            raise LostRowsError(
                f"{split}: {written:,} examples were written and {dataset.num_examples:,} read"
            )
