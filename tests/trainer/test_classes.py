"""The order of the classes."""

import random

from hypothesis import given
from hypothesis import strategies as st

from trainer.classes import class_order


def test_class_order_puts_whole_numbers_by_value_before_words() -> None:
    words = [b"b", b"10", b"9", b"-2", b"a", b"1.5", b"", b"\xc3\xa4", b"Z", b"-"]

    assert sorted(words, key=class_order) == [
        *(b"-2", b"9", b"10"),
        *(b"", b"-", b"1.5", b"Z", b"a", b"b", b"\xc3\xa4"),
    ]


def test_class_order_orders_ways_to_write_the_same_number() -> None:
    assert sorted([b"1", b"01", b"001"], key=class_order) == [b"001", b"01", b"1"]


def test_class_order_orders_numbers_beyond_64_bits() -> None:
    words = [str(10**20).encode(), str(10**19).encode()]

    assert sorted(words, key=class_order) == words[::-1]


@given(st.sets(st.one_of(st.text(), st.integers().map(str)).map(str.encode)), st.randoms())
def test_class_order_is_the_same_for_any_order_of_words(
    words: set[bytes], source: random.Random
) -> None:
    shuffled = list(words)
    source.shuffle(shuffled)

    assert sorted(shuffled, key=class_order) == sorted(words, key=class_order)
