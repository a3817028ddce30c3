"""Vocabularies counted in bounded memory."""

from collections import Counter

import numpy as np

from trainer.features.vocabularies import _Count


def count(words: list[list[str]], most: int = 100) -> dict[str, int]:
    """Counts words as a bundle per list does, merged."""
    combine = _Count(most)
    parts = []
    for batch in words:
        counts = Counter(word.encode() for word in batch)
        arrays = (np.array(list(counts), object), np.array(list(counts.values()), np.int64))
        parts.append(combine.add_input(combine.create_accumulator(), arrays))
    total = combine.extract_output(combine.merge_accumulators(parts))
    return {word.decode(): number for word, number in total.items()}


def test_counts_are_exact_while_they_fit() -> None:
    assert count([["a", "b", "a"], ["b", "c"], []]) == {"a": 2, "b": 2, "c": 1}


def test_rare_words_are_dropped_when_there_are_too_many() -> None:
    batches = [["often", *(f"{batch}-{index}" for index in range(80))] * 2 for batch in range(50)]
    counts = count(batches)
    assert len(counts) <= 100
    assert counts["often"] == 100
