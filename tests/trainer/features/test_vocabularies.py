"""Vocabularies counted in bounded memory."""

from collections import Counter

import numpy as np
import pytest

from trainer.features import vocabularies


def count(words: list[list[str]]) -> dict[str, int]:
    """Counts words as a bundle per list does, merged."""
    combine = vocabularies._Count()
    parts = []
    for batch in words:
        counts = Counter(word.encode() for word in batch)
        arrays = (np.array(list(counts), object), np.array(list(counts.values()), np.int64))
        parts.append(combine.add_input(combine.create_accumulator(), arrays))
    total = combine.extract_output(combine.merge_accumulators(parts))
    return {word.decode(): number for word, number in total.items()}


def test_counts_are_exact_while_they_fit() -> None:
    assert count([["a", "b", "a"], ["b", "c"], []]) == {"a": 2, "b": 2, "c": 1}


def test_rare_words_are_dropped_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabularies, "MAX_COUNTED", 100)
    batches = [["often", *(f"{batch}-{index}" for index in range(80))] * 2 for batch in range(50)]
    counts = count(batches)
    assert len(counts) <= 100
    assert counts["often"] == 100
