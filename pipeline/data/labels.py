"""Collects the labels of the rows, and checks that they can be learned."""

import math
from collections.abc import Callable, Container, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.file_errors import data_error, find_cell
from pipeline.errors import DataError, did_you_mean
from pipeline.settings.config import Config
from tabular.csv.arrow_numpy import to_numpy
from tabular.csv.column_rules import quote
from tabular.csv.types import ColumnType, column_type, with_point
from trainer.classes import class_order

SplitsOf = Callable[..., npt.NDArray[np.int64]]
"""Gives the index of the split of each row, or of those that a mask selects: `RowSplits.of`."""

MAX_CLASSES = 1000
"""A label with more distinct values is an id or a quantity."""


class Labels:
    """The labels of all rows by split.

    Attributes:
        column: The column of the label.
        counts: Split name to its number of rows, as far as splits were computed.
    """

    def __init__(self, config: Config, paths: Sequence[str], *, count_splits: bool) -> None:
        """Starts without rows.

        Args:
            config: The configuration.
            paths: The files, which have the same header.
            count_splits: Whether the split of every row is computed; else only of rows whose label
                is not yet known in every split.
        """
        self.column = config.data.label
        self.counts = dict.fromkeys(config.data.splits, 0)
        self._count_splits = count_splits
        self._config = config
        self._dialect = config.data.csv.dialect
        self._paths = paths

    def add(self, labels: pa.Array, splits_of: SplitsOf) -> None:
        """Adds the labels of a batch of rows that can be used.

        Args:
            labels: Strings.
            splits_of: Gives the splits of the rows.

        Raises:
            DataError: If there are now more than `MAX_CLASSES` distinct labels.
        """
        raise NotImplementedError

    def check(self) -> tuple[str, ...]:
        """Checks the labels once all are added.

        Returns:
            The classes by class id; empty in a regression.

        Raises:
            DataError: If they cannot be learned.
        """
        raise NotImplementedError

    def _split_fault(self, split: str, found: str, expected: str) -> str:
        return (
            f"{self._paths[0]}: {self.column}: the {split} split ({self.counts[split]} of"
            f" {sum(self.counts.values())} rows) has {found}; expected {expected}: add rows, or"
            f" enlarge its share (data.split.{split}; data.files.{split} where files are given)"
        )


def make_labels(config: Config, paths: Sequence[str], *, count_splits: bool = True) -> Labels:
    """Makes the `Labels` of the configured task, of the same arguments."""
    kind = _Numbers if config.task == "regression" else _Classes
    return kind(config, paths, count_splits=count_splits)


class _Numbers(Labels):
    """The labels of a regression."""

    def __init__(self, config: Config, paths: Sequence[str], *, count_splits: bool) -> None:
        super().__init__(config, paths, count_splits=count_splits)
        self._least = dict.fromkeys(self.counts, math.inf)
        self._greatest = dict.fromkeys(self.counts, -math.inf)

    def add(self, labels: pa.Array, splits_of: SplitsOf) -> None:
        if not self._count_splits and self._is_learnable():
            return
        splits = splits_of()
        text = with_point(labels, self._dialect.decimal)
        numbers = to_numpy(pc.cast(text, pa.float32()), null=math.nan)
        for index, split in enumerate(self.counts):
            of_split = numbers[np.equal(splits, index)]
            self.counts[split] += len(of_split)
            if len(of_split):
                self._least[split] = min(self._least[split], float(of_split.min()))
                self._greatest[split] = max(self._greatest[split], float(of_split.max()))

    def check(self) -> tuple[str, ...]:
        least = min(self._least.values())
        if least == max(self._greatest.values()):
            raise DataError(
                f"{self._paths[0]}: {self.column}: every row has the number {least:g}; expected"
                " numbers that differ: add rows with others, or name another column in data.label"
            )
        faults = [
            self._split_fault(split, "no row", "some rows")
            for split, count in self.counts.items()
            if not count
        ]
        if not faults and self._least["train"] == self._greatest["train"]:
            found = f"the number {self._least['train']:g} only"
            faults = [self._split_fault("train", found, "numbers that differ")]
        if faults:
            raise data_error(faults)
        return ()

    def _is_learnable(self) -> bool:
        """Whether every split has rows, and the train split has two distinct numbers."""
        return all(self.counts.values()) and self._least["train"] < self._greatest["train"]


class _Classes(Labels):
    """The labels of a classification."""

    def __init__(self, config: Config, paths: Sequence[str], *, count_splits: bool) -> None:
        super().__init__(config, paths, count_splits=count_splits)
        self._words: dict[str, set[str]] = {split: set() for split in self.counts}
        self._type = ColumnType.UNKNOWN

    def add(self, labels: pa.Array, splits_of: SplitsOf) -> None:
        encoded = pc.dictionary_encode(labels)
        words = encoded.dictionary.to_pylist()
        codes = np.frombuffer(encoded.indices.buffers()[1], dtype=np.int32, count=len(labels))
        if self._count_splits:
            self._add(words, codes, splits_of())
        else:
            is_new = np.array([not self._is_everywhere(word) for word in words])[codes]
            if is_new.any():
                self._add(words, codes[is_new], splits_of(is_new))
        numbers = with_point(encoded.dictionary, self._dialect.decimal)
        self._type = max(self._type, column_type(numbers, self._type))
        if len(self._all_words()) > MAX_CLASSES:
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

    def check(self) -> tuple[str, ...]:
        class_of_word = self._class_of_word()
        classes = sorted(set(class_of_word.values()), key=lambda word: class_order(word.encode()))
        self._check_number(classes)
        in_split = {
            split: {class_of_word[word] for word in words} for split, words in self._words.items()
        }
        faults = [
            self._split_fault(split, _describe_classes(found), "at least 2 classes")
            for split, found in in_split.items()
            if len(found) < 2
        ]
        for name in classes:
            if name not in in_split["train"]:
                words = {word for word in class_of_word if class_of_word[word] == name}
                splits = " and ".join(split for split in in_split if name in in_split[split])
                fault = _unlearnable_fault(name, splits)
                faults.append(f"{self._find(words)[0]}: {self.column}: {fault}")
        if faults:
            raise data_error(faults)
        self._check_named(classes)
        positive = self._config.data.positive
        return tuple(sorted(classes, key=positive.__eq__)) if positive else tuple(classes)

    def _check_number(self, classes: Sequence[str]) -> None:
        place = f"{self._paths[0]}: {self.column}"
        if len(classes) < 2:
            raise DataError(
                f"{place}: every row has the class {quote(classes[0])}; expected at least 2"
                " classes: add rows of another class, or name another column in data.label"
            )
        if self._config.task == "binary" and len(classes) > 2:
            names = ", ".join(map(quote, classes[:5])) + ", ..." * (len(classes) > 5)
            raise DataError(
                f"{place}: {len(classes)} classes, {names}; expected 2 in a binary task: remove"
                " the rows of the others, or set task to multiclass"
            )

    def _check_named(self, classes: Sequence[str]) -> None:
        """Checks that the labels have the classes that the configuration names."""
        weights = self._config.train.class_weights
        named = [("train.class_weights", name) for name in weights or () if weights != "balanced"]
        if self._config.data.positive is not None:
            named.append(("data.positive", self._config.data.positive))
        faults = [
            f"{self._paths[0]}: {self.column}: there is no class {quote(name)}; expected one of"
            f" {', '.join(map(quote, classes[:10]))}: correct {key}{did_you_mean(name, classes)}"
            for key, name in named
            if name not in classes
        ]
        if faults:
            raise data_error(faults)

    def _all_words(self) -> list[str]:
        return sorted(set().union(*self._words.values()))

    def _find(self, words: Container[str]) -> tuple[str, str]:
        return find_cell(self._paths, self._dialect, self.column, words.__contains__)

    def _class_of_word(self) -> dict[str, str]:
        """Maps each label to its class; if all are whole numbers, 01, 1 and 1.0 are one class."""
        words = self._all_words()
        if self._type == ColumnType.FLOAT:
            raise self._regression_error()
        if self._type == ColumnType.INT:
            return {word: str(int(word)) for word in words}
        if self._type == ColumnType.WHOLE:
            point = self._dialect.decimal
            return {word: str(int(float(word.replace(point, ".")))) for word in words}
        return {word: word for word in words}

    def _too_many_labels(self) -> DataError:
        if self._type == ColumnType.FLOAT:
            return self._regression_error()
        words = self._all_words()
        return DataError(
            f"{self._paths[0]}: {self.column}: more than {MAX_CLASSES} different labels, such as"
            f" {', '.join(map(quote, words[:3]))}: this looks like an id or a quantity; expected at"
            f" most {MAX_CLASSES} classes: name another column in data.label"
        )

    def _regression_error(self) -> DataError:
        point = self._dialect.decimal
        place, word = self._find(
            {
                word
                for word in self._all_words()
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


def _describe_classes(classes: set[str]) -> str:
    return f"the class {quote(min(classes))} only" if classes else "no row"


def _unlearnable_fault(name: str, splits: str) -> str:
    return (
        f"the class {quote(name)} is in the {splits} split only, so that it cannot be learned;"
        " expected rows of it in train: add some, remove those, or change data.split or data.files"
    )
