"""Columns that identify rows, by what stands in them and by their titles."""

import hashlib
import random
import uuid
from collections.abc import Sequence

import pyarrow as pa
import pytest

from pipeline.data.column_profile import ColumnProfile
from pipeline.data.feature_choice import choose
from pipeline.data.findings import Finding
from pipeline.data.row_ids import find_identity
from pipeline.data.table_profiler import profile_columns

N = 300
RANDOM = random.Random(7)
SHUFFLED = RANDOM.sample(range(N), N)
NAMES = [f"Mr. {RANDOM.choice('ABCDEFGH')}. Jones{n % 250}" for n in range(N)]


def profile_of(cells: Sequence[object], title: str = "x") -> ColumnProfile:
    batch = pa.RecordBatch.from_arrays([pa.array(list(map(str, cells)))], [title])
    return profile_columns([batch])[title]


def identity_of(cells: Sequence[object], title: str = "x") -> Finding | None:
    return find_identity(profile_of(cells, title))


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (range(N), "a row number"),
        (range(N, 0, -1), "a row number"),
        ([f"{n}.0" for n in range(N)], "a row number"),
        ([n if n < 200 else f"{n}.0" for n in range(N)], "a row number"),
        ([f"{n}.0" for n in SHUFFLED], "a number given out to the rows"),
        (SHUFFLED, "a number given out to the rows"),
        ([n + 10**9 for n in SHUFFLED], "a number given out"),
        ([7 * n for n in SHUFFLED], "a number given out"),
        ([n for n in SHUFFLED if n % 3], "a number given out"),
        ([uuid.UUID(int=RANDOM.getrandbits(128)) for _ in range(N)], "UUIDs"),
        ([f"{{{uuid.UUID(int=RANDOM.getrandbits(128))}}}".upper() for _ in range(N)], "UUIDs"),
        ([hashlib.md5(b"%d" % n).hexdigest() for n in range(N)], "hex digests"),
        ([hashlib.sha256(b"%d" % n).hexdigest() for n in range(N)], "hex digests"),
        ([f"a{n}@example.com" for n in range(N)], "e-mail addresses"),
        ([f"https://example.com/{n}" for n in range(N)], "web addresses"),
        ([f"+49 170 {n}-{n}" for n in range(1000, 1000 + N)], "phone numbers"),
        (["n/a", *(f"a{n}@example.com" for n in range(N))], "e-mail addresses"),
        ([*(f"a{n}@example.com" for n in range(N)), "by phone"], "e-mail addresses"),
    ],
)
def test_identity_is_found_by_the_cells(cells: Sequence[object], text: str) -> None:
    finding = identity_of(cells)
    assert finding is not None
    assert finding.text.startswith(text)


@pytest.mark.parametrize(
    "cells",
    [
        [RANDOM.randrange(10**6) for _ in range(N)],  # prices in cents, all different by chance
        [RANDOM.randrange(2 * N) for _ in range(N)],
        [n // 2 for n in SHUFFLED],
        [*SHUFFLED, 5],
        [n + 0.5 for n in SHUFFLED],
        [*range(N), N + 0.5],
        RANDOM.sample(range(20), 20),
        [hashlib.md5(b"%d" % (n % 9)).hexdigest() for n in range(N)],
        [f"a{n % 50}@example.com" for n in range(N)],
        [f"{n} words of a longer text that says something" for n in range(N)],
    ],
    ids=[
        "large by chance",
        "some twice",
        "all twice",
        "one twice",
        "fractions",
        "a fraction at the end",
        "few",
        "repeated digests",
        "repeated addresses",
        "text",
    ],
)
def test_identity_is_not_found_in_what_describes(cells: Sequence[object]) -> None:
    assert identity_of(cells) is None


@pytest.mark.parametrize(
    "title", ["name", "Names", "last_name", "Full Name", "surname", "userName", "customer-name"]
)
def test_identity_is_found_by_titles_of_names(title: str) -> None:
    finding = identity_of(NAMES, title)
    assert finding == Finding("names: most cells are different", look=True)
    assert choose(profile_of(NAMES, title)).feature.kind == "ignore"


@pytest.mark.parametrize(
    "title", ["filename_length", "tournament", "renamed", "product_name", "fileName"]
)
def test_identity_is_not_found_by_like_titles(title: str) -> None:
    assert identity_of(NAMES, title) is None


@pytest.mark.parametrize(
    "title", ["id", "customer_id", "PassengerId", "userID", "ID_2", "row", "key"]
)
def test_identity_is_found_by_titles_of_ids(title: str) -> None:
    assert identity_of([7, 3, 5], title) == Finding("an id: all different")
    assert identity_of([7, 3, 7], title) is None


@pytest.mark.parametrize("title", ["paid", "width", "grid", "arid", "monkey"])
def test_identity_is_not_found_by_titles_like_ids(title: str) -> None:
    assert identity_of([7, 3, 5], title) is None


def test_numbers_given_out_are_marked_and_plain_row_numbers_are_not() -> None:
    looks = [
        finding.look
        for cells in (SHUFFLED, range(N), [n**3 for n in range(N)])
        if (finding := identity_of(cells))
    ]
    assert looks == [True, False, True]
