"""Checks the labels of a classification."""

from collections.abc import Container, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.class_names import ClassNames, name_classes
from pipeline.data.file_errors import data_error, find_cell
from pipeline.data.findings import Finding
from pipeline.data.label_findings import tell_alike
from pipeline.data.labels import Labels, SplitsOf
from pipeline.errors import DataError, did_you_mean
from pipeline.settings.config import Config
from tabular.csv.column_rules import quote
from tabular.csv.label_cells import trim_label
from tabular.csv.types import ColumnType

MAX_CLASSES = 1000
"""A label with more distinct values is an id or a quantity."""


class ClassLabels(Labels):
    """The labels of a classification."""

    def __init__(self, config: Config, paths: Sequence[str], *, count_splits: bool) -> None:
        """Starts without rows; the arguments are those of `Labels`."""
        super().__init__(config, paths, count_splits=count_splits)
        self._words: dict[str, set[str]] = {split: set() for split in self.counts}
        self._classes = ClassNames(ColumnType.UNKNOWN, {})

    def add(self, labels: pa.Array, splits_of: SplitsOf) -> None:
        """Adds the labels of a batch.

        Raises:
            DataError: If there are now more than `MAX_CLASSES` classes.
        """
        encoded = pc.dictionary_encode(labels)
        words = encoded.dictionary.to_pylist()
        codes = np.frombuffer(encoded.indices.buffers()[1], dtype=np.int32, count=len(labels))
        if self._count_splits:
            self._add(words, codes, splits_of())
        else:
            is_new = np.array([not self._is_everywhere(word) for word in words])[codes]
            if is_new.any():
                self._add(words, codes[is_new], splits_of(is_new))
        if not self._classes.of_label.keys() >= set(words):
            self._classes = name_classes(
                set(words).union(self._classes.of_label), self._dialect.decimal
            )
            if len(self._classes.names) > MAX_CLASSES:
                raise self._too_many_labels()

    def _add(
        self,
        words: Sequence[str],
        codes: npt.NDArray[np.int32],
        splits: npt.NDArray[np.int64],
    ) -> None:
        for index, split in enumerate(self.counts):
            codes_of_split = codes[splits == index]
            self.counts[split] += len(codes_of_split)
            self._words[split].update(words[code] for code in np.unique(codes_of_split))

    def _is_everywhere(self, word: str) -> bool:
        return all(word in words for words in self._words.values())

    @property
    def column_type(self) -> ColumnType:
        """Whole numbers or words."""
        return self._classes.column_type

    def findings(self) -> Iterator[Finding]:
        """Yields blanks around labels, and classes that look alike."""
        yield from super().findings()
        yield from tell_alike(self._classes.names, self._dialect.decimal)

    def check(self) -> tuple[str, ...]:
        """Checks that every split has classes, and train has all of them."""
        if self._classes.column_type == ColumnType.FLOAT:
            raise self._regression_error()
        classes = self._classes.names
        self._check_number(classes)
        in_split = {
            split: {self._classes.of_label[word] for word in words}
            for split, words in self._words.items()
        }
        faults = [
            self._split_fault(
                split,
                f"the class {quote(min(found))} only" if found else self._no_row,
                "at least 2 classes",
            )
            for split, found in in_split.items()
            if len(found) < 2
        ]
        for name in classes:
            if name not in in_split["train"]:
                words = {word for word, its in self._classes.of_label.items() if its == name}
                splits = " and ".join(split for split in in_split if name in in_split[split])
                fault = _unlearnable_fault(name, splits)
                faults.append(f"{self._find(words)[0]}: {self.column}: {fault}")
        if faults:
            raise data_error(faults)
        self._check_named(classes)
        positive = self._config.data.positive
        return tuple(sorted(classes, key=positive.__eq__)) if positive else tuple(classes)

    def _check_number(self, classes: Sequence[str]) -> None:
        if len(classes) < 2:
            raise DataError(
                f"{self._place}: every row has the class {quote(classes[0])}; expected at least 2"
                " classes: add rows of another class, or name another column in data.label"
            )
        if self._config.task == "binary" and len(classes) > 2:
            names = ", ".join(map(quote, classes[:5])) + ", ..." * (len(classes) > 5)
            raise DataError(
                f"{self._place}: {len(classes)} classes, {names}; expected 2 in a binary task:"
                " remove the rows of the others, or set task to multiclass"
            )

    def _check_named(self, classes: Sequence[str]) -> None:
        """Checks that the labels have the classes that the configuration names."""
        weights = self._config.train.class_weights
        named = [("train.class_weights", name) for name in weights or () if weights != "balanced"]
        if self._config.data.positive is not None:
            named.append(("data.positive", self._config.data.positive))
        faults = [
            f"{self._place}: there is no class {quote(name)}; expected one of"
            f" {', '.join(map(quote, classes[:10]))}: correct {key}{did_you_mean(name, classes)}"
            for key, name in named
            if name not in classes
        ]
        if faults:
            raise data_error(faults)

    def _find(self, words: Container[str]) -> tuple[str, str]:
        return find_cell(
            self._paths,
            self._dialect,
            self.column,
            lambda cell: trim_label(cell, self._dialect) in words,
        )

    def _too_many_labels(self) -> DataError:
        if self._classes.column_type == ColumnType.FLOAT:
            return self._regression_error()
        return DataError(
            f"{self._place}: more than {MAX_CLASSES} different labels, such as"
            f" {', '.join(map(quote, self._classes.names[:3]))}: this looks like an id or a"
            f" quantity; expected at most {MAX_CLASSES} classes: name another column in data.label"
        )

    def _regression_error(self) -> DataError:
        point = self._dialect.decimal
        place, word = self._find(
            {
                word
                for word in self._classes.of_label
                if not (number := float(word.replace(point, "."))).is_integer()
                or abs(number) >= 2**53
            }
        )
        return DataError(
            f"{place}: {self.column}: {word!r} is neither a word nor a whole number: such a label"
            f" asks for regression, and the task is {self._config.task}; expected"
            " words or whole numbers: set task to regression, correct the labels, or name another"
            " column in data.label"
        )


def _unlearnable_fault(name: str, splits: str) -> str:
    return (
        f"the class {quote(name)} is in the {splits} split only, so that it cannot be learned;"
        " expected rows of it in train: add some, remove those, or change data.split or data.files"
    )
