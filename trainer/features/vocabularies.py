"""Vocabularies of features whose cells hold several words, counted in bounded memory.

TensorFlow Transform's own vocabularies pass every word of every row through Beam, and hold all
different words at once: pairs of neighbouring words of a long table would not fit into memory.
"""

import heapq
import os
from collections import Counter
from collections.abc import Iterable

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

MAX_COUNTED = 500_000
"""Words counted at once: some 80 MB, or twice the size of a larger vocabulary."""
_NO_WORD = b" "
"""The line of a vocabulary without words, as TensorFlow reads no empty file; no word is a blank."""
_Batch = tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]


def write_vocabulary(name: str, words: tf.Tensor, size: int, min_count: int) -> tf.Tensor:
    """Makes Transform write the most frequent words of the train split; for a `preprocessing_fn`.

    Ids follow the frequency, highest first, and for equal frequencies the order of bytes. If there
    are more than `MAX_COUNTED` different words, those up to the median count are dropped: the count
    of a word that is rare at first may be too low, and a rare word may be missing.

    Source: lossy counting, after Manku and Motwani, "Approximate Frequency Counts over Data
    Streams" (2002).

    Args:
        name: Name of the file, an asset of the transform graph.
        words: string `[n_words]`, without line ends and empty words.
        size: Greatest number of words in the vocabulary.
        min_count: Least number of occurrences of a word in the vocabulary.

    Returns:
        Path of the file, for `tft.apply_vocabulary`: a string scalar.
    """
    distinct, _, counts = tf.unique_with_counts(words, tf.int64)
    (path,) = tft.experimental.ptransform_analyzer(
        inputs=[distinct, counts],
        ptransform=_WriteVocabulary(name, size, min_count),
        output_dtypes=[tf.string],
        output_shapes=[[]],
        output_asset_default_values=[b"a word"],
    )
    return path


class _WriteVocabulary(tft_beam.experimental.PTransformAnalyzer):
    """Writes a word per line to a file, and outputs its path."""

    def __init__(self, name: str, size: int, min_count: int) -> None:
        super().__init__()
        self._name, self._size, self._min_count = name, size, min_count

    def expand(
        self, batches: beam.PCollection[tuple[npt.NDArray[np.object_], ...]]
    ) -> beam.PCollection[npt.NDArray[np.object_]]:
        path = os.path.join(self.base_temp_dir, self._name)
        size, min_count = self._size, self._min_count
        count = _Count(max(MAX_COUNTED, 2 * size))

        def write(counts: Counter[bytes]) -> npt.NDArray[np.object_]:
            tf.io.gfile.makedirs(os.path.dirname(path))
            with tf.io.gfile.GFile(path, "wb") as file:
                words = _top(counts, size, min_count) or [_NO_WORD]
                file.write(b"".join(word + b"\n" for word in words))
            return np.array(path)

        return batches | "Count" >> beam.CombineGlobally(count) | "Write" >> beam.Map(write)


class _Count(beam.CombineFn):
    """Adds up the counts of words, and drops the rarer half if there are more than `most`."""

    def __init__(self, most: int) -> None:
        self._most = most

    def create_accumulator(self) -> Counter[bytes]:
        return Counter()

    def add_input(self, counts: Counter[bytes], batch: _Batch) -> Counter[bytes]:
        self._add(counts, zip(batch[0].tolist(), batch[1].tolist(), strict=True))
        return counts

    def merge_accumulators(self, parts: Iterable[Counter[bytes]]) -> Counter[bytes]:
        merged: Counter[bytes] = Counter()
        for part in parts:
            self._add(merged, part.items())
        return merged

    def extract_output(self, counts: Counter[bytes]) -> Counter[bytes]:
        return counts

    def _add(self, counts: Counter[bytes], words: Iterable[tuple[bytes, int]]) -> None:
        for word, count in words:
            counts[word] += count
        if len(counts) > self._most:
            median = np.median(np.fromiter(counts.values(), np.int64, len(counts)))
            for word in [word for word, count in counts.items() if count <= median]:
                del counts[word]


def _top(counts: Counter[bytes], size: int, min_count: int) -> list[bytes]:
    """Lists the most frequent words, the most frequent first."""
    frequent = ((-count, word) for word, count in counts.items() if count >= min_count)
    return [word for _, word in heapq.nsmallest(size, frequent)]
