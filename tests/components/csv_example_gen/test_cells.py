"""What is taken for a number is what Arrow takes for one."""

import math
import re

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.csv_example_gen.cells import NUMBER
from components.csv_example_gen.reader import can_cast


@settings(deadline=None)
@given(st.one_of(st.text("0123456789.eE+-xn_ ", max_size=8), st.floats().map(str)))
@example("nan")
@example("1e999")
@example("1\n")
@example("1" * 400)
def test_number_is_what_arrow_casts_to_finite_or_too_large(text: str) -> None:
    column = pa.array([text])
    is_number = can_cast(column, pa.float32()) and "n" not in text.lower()

    assert bool(re.fullmatch(NUMBER, text)) == is_number
    assert pc.match_substring_regex(column, f"^({NUMBER})$")[0].as_py() == is_number


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_is_infinite_in_float32_where_arrow_says_so(value: float) -> None:
    cast = pc.cast(pa.array([repr(value)]), pa.float32())[0].as_py()

    # Values from halfway between the largest float32 and the next step on are rounded to infinity.
    assert math.isinf(cast) == (abs(value) >= 2**128 - 2**103)
