"""Gathers the labels of the rows and checks that they are classes that can be learned."""

from collections.abc import Container, Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.csv_example_gen.reader import ColumnType, can_cast, column_type
from pipeline.csv_faults import data_error, find_cell, quote
from pipeline.errors import DataError
from trainer.classes import class_order

MAX_CLASSES = 1000
"""A label of more distinct values is an id or a quantity."""


class Labels:
    """The labels of all rows: how many, and which words.

    Attributes:
        column: The label's column.
        counts: Split name to its number of rows.
    """

    def __init__(
        self, paths: Sequence[str], column: str, column_index: int, splits: Iterable[str]
    ) -> None:
        """Starts without rows.

        Args:
            paths: The files, of one header.
            column: The label's column.
            column_index: Its index in the header.
            splits: Names of the splits, `train` and `eval` among them.
        """
        self.column = column
        self.counts = dict.fromkeys(splits, 0)
        self._paths = paths
        self._column_index = column_index
        self._words: dict[str, set[str]] = {split: set() for split in self.counts}
        self._type = ColumnType.UNKNOWN

    def add(self, labels: pa.Array, splits: Sequence[int]) -> None:
        """Adds the labels of a batch.

        Args:
            labels: Strings; null, an empty label, is no word.
            splits: Index of the split of each.

        Raises:
            DataError: If there are now more words than a label can have.
        """
        encoded = pc.dictionary_encode(labels, null_encoding="encode")
        words = encoded.dictionary.to_pylist()
        codes = np.frombuffer(encoded.indices.buffers()[1], dtype=np.int32, count=len(labels))
        for index, split in enumerate(self.counts):
            codes_of_split = codes[np.equal(splits, index)]
            self.counts[split] += len(codes_of_split)
            self._words[split].update(words[code] for code in np.unique(codes_of_split))
            self._words[split].discard(None)
        self._type = max(self._type, column_type(encoded.dictionary, self._type))
        if len(self._all_words()) > MAX_CLASSES:
            raise self._too_many_words()

    def check_classes(self) -> tuple[str, ...]:
        """Checks the classes once all labels are there.

        Returns:
            The classes; the index of each is its class id.

        Raises:
            DataError: If the label is no class, or a split lacks classes.
        """
        class_of_word = self._class_of_word()
        classes = sorted(set(class_of_word.values()), key=lambda word: class_order(word.encode()))
        if len(classes) < 2:
            raise DataError(
                f"{self._paths[0]}: {self.column}: every row has the class {quote(classes[0])};"
                " expected at least 2 classes: add rows of another, or name another column in"
                " data.label"
            )
        in_split = {
            split: {class_of_word[word] for word in words} for split, words in self._words.items()
        }
        faults = [
            f"{self._paths[0]}: {self.column}: {self._say_split(split, found)}"
            for split, found in in_split.items()
            if len(found) < 2
        ]
        for name in classes:
            if name not in in_split["train"]:
                words = {word for word in class_of_word if class_of_word[word] == name}
                splits = " and ".join(split for split in in_split if name in in_split[split])
                fault = _say_unlearnable(name, splits)
                faults.append(f"{self._find(words)[0]}: {self.column}: {fault}")
        if faults:
            raise data_error(faults)
        return tuple(classes)

    def _all_words(self) -> list[str]:
        return sorted(set().union(*self._words.values()))

    def _find(self, words: Container[str]) -> tuple[str, str]:
        return find_cell(self._paths, self._column_index, words.__contains__)

    def _class_of_word(self) -> dict[str, str]:
        """Maps the words to their classes: among whole numbers, 01 and 1 are the same class."""
        if self._type == ColumnType.FLOAT:
            raise self._regression()
        is_int = self._type == ColumnType.INT
        return {word: str(int(word)) if is_int else word for word in self._all_words()}

    def _too_many_words(self) -> DataError:
        if self._type == ColumnType.FLOAT:
            return self._regression()
        words = self._all_words()
        return DataError(
            f"{self._paths[0]}: {self.column}: more than {MAX_CLASSES} different labels, such as"
            f" {', '.join(map(quote, words[:3]))}: this looks like an id or a quantity; expected at"
            f" most {MAX_CLASSES} classes: name another column in data.label"
        )

    def _regression(self) -> DataError:
        words = self._all_words()
        place, word = self._find({w for w in words if not can_cast(pa.array([w]), pa.int64())})
        return DataError(
            f"{place}: {self.column}: {word!r} is neither a word nor a whole number: this pipeline"
            " classifies, and a label of such numbers asks for regression; expected words or whole"
            " numbers (1, not 1.0): correct the labels, or name another column in data.label"
        )

    def _say_split(self, split: str, classes: set[str]) -> str:
        found = f"the class {quote(min(classes))} only" if classes else "no row"
        return (
            f"the {split} split ({self.counts[split]} of {sum(self.counts.values())} rows) has"
            f" {found}; expected at least 2 classes: add rows, or enlarge its share"
            f" (data.split.{split}; data.files.{split} where files are given)"
        )


def _say_unlearnable(name: str, splits: str) -> str:
    return (
        f"the class {quote(name)} is in the {splits} split only, so that it cannot be learned;"
        " expected rows of it in train: add some, remove these, or change data.split or data.files"
    )
