"""Names of columns, and forms of them for TensorFlow and MLflow."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trainer.settings.column_names import (
    clean_name,
    escape,
    fault_of_name,
    free_name,
    scope_name,
    unescape,
)

NAMES = st.text(st.sampled_from("a._x20e-/ ü価"), min_size=1, max_size=8)


@pytest.mark.parametrize(
    "name",
    [
        *("a", "Width (cm)", "sepal.length", "Größe", "価格", "Age?", "a/b", "class", "2020", "%"),
        *("quoted, title", '5" pipe', "it's", "😀", "_a", "-a", "a:b", "<b>", "{x}", "x" * 500),
    ],
)
def test_fault_of_name_allows_titles_of_people(name: str) -> None:
    assert fault_of_name(name) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "is empty: rename the column in data.csv.rename"),
        ("*", "means all other columns: rename the column in data.csv.rename"),
        (" x", "begins or ends with a blank: leave it out, as it is left out of titles"),
        ("x\u00a0", "begins or ends with a blank: leave it out, as it is left out of titles"),
        *(
            (name, "holds a line end or another control character: rename the column in")
            for name in ("a\nb", "a\rb", "a\tb", "a\x00b", "a\x7fb", "a\u2028b", "a\ud800b")
        ),
        ("x" * 501, "is longer than 500 characters: rename the column in data.csv.rename"),
    ],
)
def test_fault_of_name_explains(name: str, fault: str) -> None:
    assert (fault_of_name(name) or "").startswith(fault)


@given(st.text())
def test_clean_name_gives_a_valid_name_or_none(title: str) -> None:
    name = clean_name(title)
    assert name == "" or fault_of_name(name) is None


def test_free_name_takes_the_first_free_number() -> None:
    assert free_name("a", {"b"}) == "a"
    assert free_name("a", {"a", "a_2"}) == "a_3"


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        *((name, name) for name in ("a", "sepal_length", "9", "a.b", "a-b", "pos.x", "A")),
        ("Width (cm)", "Width.x20..x28.cm.x29."),
        ("_a", ".x5f.a"),
        ("a/b", "a.x2f.b"),
        ("a.x2f.b", "a.x2e.x2f.b"),
    ],
)
def test_scope_name_examples(name: str, scope: str) -> None:
    assert scope_name(name) == scope


@given(NAMES)
@example("-.x20 ")
@example(".x2f.x20.")
def test_scope_name_can_be_reversed(name: str) -> None:
    scope = scope_name(name)

    assert set(scope) <= {*string.ascii_letters, *string.digits, *"._-"}
    assert scope[0] not in "_-"
    assert unescape(scope) == name


@given(NAMES)
def test_unescape_reverses_escape(name: str) -> None:
    assert unescape(escape(name, r"\w /")) == name
