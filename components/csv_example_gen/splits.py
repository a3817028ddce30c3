"""Assigns rows to splits by a hash of their text; no TensorFlow."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tabular.csv.arrow_numpy import to_strings

_FIELD_SEPARATOR = "\x1f"


def hash_buckets(shares: Mapping[str, float]) -> dict[str, int]:
    """Converts shares to the smallest whole numbers of the same ratio.

    Args:
        shares: Split name to its share, positive, of any sum. A share is rounded to a multiple of a
            thousandth of the sum, and is at least one thousandth.

    Returns:
        Split name to its number of hash buckets: `{"train": 0.8, "eval": 0.2}` gives 4 and 1.
    """
    total = sum(Fraction(share) for share in shares.values())
    parts = [
        max((Fraction(share) / total).limit_denominator(1000), Fraction(1, 1000))
        for share in shares.values()
    ]
    scale = math.lcm(*(part.denominator for part in parts))
    return {name: int(part * scale) for name, part in zip(shares, parts, strict=True)}


def split_rows(batch: pa.RecordBatch, buckets: Sequence[int], by: str | None = None) -> list[int]:
    """Assigns each row to a split by a hash of its text, independent of machine and row order.

    Args:
        batch: String columns, null where a value is missing.
        buckets: Number of hash buckets of each split.
        by: Column to hash, missing values included; None hashes all cells of the row.

    Returns:
        Index of the split of each row. Equal rows, or rows with equal cells in `by`, have the same.
    """
    split_of_bucket = np.repeat(np.arange(len(buckets)), buckets)
    if by is None:
        hashes = _hash_rows(batch.columns)
    else:
        keys = pc.dictionary_encode(batch[by], null_encoding="encode")
        codes = np.frombuffer(keys.indices.buffers()[1], dtype=np.int32, count=len(keys))
        hashes = _hash_rows([keys.dictionary])[codes]
    splits: list[int] = split_of_bucket[hashes % len(split_of_bucket)].tolist()
    return splits


def _hash_rows(columns: Sequence[pa.Array]) -> npt.NDArray[np.uint64]:
    rows = pc.binary_join_element_wise(
        *columns, to_strings([_FIELD_SEPARATOR])[0], null_handling="replace", null_replacement=""
    )
    _, offsets, data = rows.buffers()
    ends = np.frombuffer(offsets, dtype=np.int32, count=len(rows) + 1).tolist()
    text = data.to_pybytes() if data else b""
    digests = [
        hashlib.blake2b(text[begin:end], digest_size=8).digest() for begin, end in pairwise(ends)
    ]
    return np.frombuffer(b"".join(digests), dtype=">u8")
