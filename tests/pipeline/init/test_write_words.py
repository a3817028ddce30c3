"""`pipeline init` over cells of several words: tags, text, and what only looks like them."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.made_tables import ROWS, init, numbers, rows_of, table, words

RNG = random.Random(1)
TAGS = ["red", "green", "blue", "black", "white"]
PICKED = [RNG.sample(TAGS, RNG.randrange(4)) for _ in range(ROWS)]
SAID = [
    " ".join(RNG.choice(["the", "price", "was", "good", "bad", "slow"]) for _ in range(length))
    for length in (RNG.randrange(5, 25) for _ in range(ROWS))
]


def init_column(folder: Path, cells: list[str], separator: str = ",") -> str:
    """Runs `init` over a column `c` of quoted cells, and returns the line of that column."""
    quoted = [f'"{cell}"' if cell else "" for cell in cells]
    content = table(
        ["c", "x", "y"], rows_of(quoted, numbers(1), words("u", "v")), separator=separator
    )
    code, path = init(folder, content, "y")
    assert code == 0
    (line,) = (line for line in path.read_text().splitlines() if line.startswith("  c: "))
    return line


@pytest.mark.parametrize(
    ("cells", "separator", "line"),
    [
        (["|".join(tags) for tags in PICKED], ",", "c: tags  # "),
        ([", ".join(tags) for tags in PICKED], ",", 'c: {kind: tags, separator: ","}  # '),
        ([";".join(tags) for tags in PICKED], ";", 'c: {kind: tags, separator: ";"}  # '),
        (["\n".join(tags) for tags in PICKED], ",", 'c: {kind: tags, separator: "\\n"}  # '),
        (
            ["|".join(f"{tag}:{len(tags)}" for tag in tags) for tags in PICKED],
            "\t",
            'c: {kind: tags, weight_separator: ":"}  # ',
        ),
        (SAID, ",", "c: text  # "),
        ([text.replace(" ", ", ") + "!" for text in SAID], ",", "c: {kind: tags, separat"),
        ([f"{text.capitalize()}, {text}." for text in SAID], ",", "c: text  # "),
    ],
)
def test_init_writes_tags_and_text(
    tmp_path: Path, cells: list[str], separator: str, line: str
) -> None:
    assert init_column(tmp_path, cells, separator).strip().startswith(line)


@pytest.mark.parametrize(
    "make",
    [
        lambda row: f"{row} Main St, Springfield",
        lambda row: f"{row % 12 + 1}/{row % 28 + 1}/2023",
        lambda row: f"{['Doe', 'Smith', 'Hill'][row % 3]}, {['John', 'Mary'][row % 2]}",
        lambda row: f"{row % 9},{row % 7}",
        lambda row: f"{row % 3}.{row % 5}.{row % 7}",
        lambda row: f"src/{['a', 'b'][row % 2]}/{['x', 'y', 'z'][row % 3]}.py",
        lambda row: ["Good, but slow", "Never again, really", "Fine, thank you"][row % 3],
    ],
)
def test_init_takes_other_cells_for_no_tags(tmp_path: Path, make: Any) -> None:
    assert "tags" not in init_column(tmp_path, [make(row) for row in range(ROWS)])
