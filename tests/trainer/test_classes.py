"""The order of classes, and the names of numeric classes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.classes import class_order, number_class_name, order_classes


def test_class_order_numbers_then_words() -> None:
    words = [b"b", b"10", b"9", b"-2", b"a", b"1.5", b"", b"\xc3\xa4", b"Z", b"-"]

    assert sorted(words, key=class_order) == [
        *(b"-2", b"9", b"10"),
        *(b"", b"-", b"1.5", b"Z", b"a", b"b", b"\xc3\xa4"),
    ]


def test_class_order_of_equal_numbers() -> None:
    assert sorted([b"1", b"01", b"001"], key=class_order) == [b"001", b"01", b"1"]


def test_class_order_numbers_beyond_64_bits() -> None:
    words = [str(10**20).encode(), str(10**19).encode()]

    assert sorted(words, key=class_order) == words[::-1]


@given(st.sets(st.one_of(st.text(), st.integers().map(str)).map(str.encode)), st.randoms())
def test_class_order_is_total(words: set[bytes], source: random.Random) -> None:
    shuffled = list(words)
    source.shuffle(shuffled)

    assert sorted(shuffled, key=class_order) == sorted(words, key=class_order)


def test_order_classes_puts_positive_class_last() -> None:
    assert order_classes([b"yes", b"10", b"9"]) == [b"9", b"10", b"yes"]
    assert order_classes([b"yes", b"10", b"9"], positive="9") == [b"10", b"yes", b"9"]


@pytest.mark.parametrize(
    ("text", "name"), [("1", "1"), ("01", "1"), ("1.0", "1"), ("-2.0", "-2"), ("0.50", "0.5")]
)
def test_number_class_name_normalizes(text: str, name: str) -> None:
    assert number_class_name(text) == name


def test_number_class_name_rejects_words() -> None:
    with pytest.raises(ValueError, match="word"):
        number_class_name("word")
