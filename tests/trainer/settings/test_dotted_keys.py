"""Paths to settings as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.settings.dotted_keys import join_key, split_key


@pytest.mark.parametrize(
    ("text", "parts", "rest"),
    [
        ("train.steps=500", ("train", "steps"), "=500"),
        ("a=b=c", ("a",), "=b=c"),
        ("features.Width (cm)=auto", ("features", "Width (cm)"), "=auto"),
        ('features."sepal.length".fill=mean', ("features", "sepal.length", "fill"), "=mean"),
        ('features."a=b"=auto', ("features", "a=b"), "=auto"),
        ('features."5"" pipe"=auto', ("features", '5" pipe'), "=auto"),
        ('features.5" pipe=auto', ("features", '5" pipe'), "=auto"),
        ('features."open=auto', ("features", '"open'), "=auto"),
        ("a..b", ("a", "", "b"), ""),
        ("", ("",), ""),
    ],
)
def test_split_key_follows_quotes(text: str, parts: tuple[str, ...], rest: str) -> None:
    assert split_key(text) == (parts, rest)


@given(st.lists(st.text('a."= é', max_size=4), min_size=1, max_size=3), st.sampled_from(["", "=1"]))
def test_join_key_is_reversed_by_split_key(parts: list[str], rest: str) -> None:
    assert split_key(join_key(parts) + rest) == (tuple(parts), rest)


def test_join_key_quotes_only_where_needed() -> None:
    assert join_key(["features", "Width (cm)", "sepal.length"]) == (
        'features.Width (cm)."sepal.length"'
    )
