"""Raw rows of a finished run as examples and tables, and with values that training did not see."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from trainer.settings.features import Datetime, Feature, Numeric
from trainer.settings.train import TrainerSettings

Cell = float | bytes | None
"""A cell as examples hold it: a float32, a word, or None for a missing value."""
Row = dict[str, Cell]
UNSEEN = b"never seen before"
_EVERY = 5
"""Of so many rows, one has unseen words and the next one missing values."""


def read_examples(examples_dir: Path, split: str) -> list[bytes]:
    """Reads the examples of a split, serialized, in the order of their files."""
    paths = sorted(str(path) for path in (examples_dir / f"Split-{split}").iterdir())
    return list(tf.data.TFRecordDataset(paths, compression_type="GZIP").as_numpy_iterator())


def read_rows(examples_dir: Path, split: str) -> list[Row]:
    """Reads all columns of the examples of a split."""
    return [
        {name: _cell(feature) for name, feature in _features(example).items()}
        for example in read_examples(examples_dir, split)
    ]


def _features(example: bytes) -> Mapping[str, tf.train.Feature]:
    features: Mapping[str, tf.train.Feature] = tf.train.Example.FromString(example).features.feature
    return features


def _cell(feature: tf.train.Feature) -> Cell:
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else []
    if not values:
        return None
    return values[0] if isinstance(values[0], bytes) else float(values[0])


def disturb(rows: Sequence[Row], settings: TrainerSettings) -> list[Row]:
    """Returns the columns that the model reads, with missing values and unseen words if allowed."""
    return [
        {
            name: _disturbed(row.get(name), settings.features[name], index)
            for name in settings.raw_types
        }
        for index, row in enumerate(rows)
    ]


def _disturbed(cell: Cell, feature: Feature, index: int) -> Cell:
    if isinstance(feature, Numeric) and feature.fill == "error":
        return cell
    if index % _EVERY == 1:
        return None
    if index % _EVERY == 0 and feature.raw_type == "bytes" and not isinstance(feature, Datetime):
        return UNSEEN
    return cell


def to_examples(rows: Sequence[Row]) -> list[bytes]:
    """Serializes rows; a missing value is an absent feature."""
    examples = []
    for row in rows:
        example = tf.train.Example()
        for name, cell in row.items():
            feature = example.features.feature[name]
            if isinstance(cell, bytes):
                feature.bytes_list.value.append(cell)
            elif cell is not None:
                feature.float_list.value.append(cell)
        examples.append(example.SerializeToString())
    return examples


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Writes rows so that reading them gives the same float32s."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        writer.writerows([_text(cell) for cell in row.values()] for row in rows)


def _text(cell: Cell) -> str:
    if isinstance(cell, bytes):
        return cell.decode()
    return "" if cell is None else str(np.float32(cell))
