"""Tables with a column that numbers the rows: left out by `init`, warned of if it is named."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.data.check import check_data
from pipeline.settings.load import load_config
from tests.helpers.made_tables import ROWS, init, numbers, rows_of, table, words

RANDOM = random.Random(11)


@pytest.mark.parametrize(
    ("title", "cells"),
    [
        ("", range(ROWS)),
        ("Unnamed: 0", range(ROWS)),
        ("rownames", range(1, ROWS + 1)),
        ("order_no", [50_000 + 3 * n for n in range(ROWS)]),
        ("ticket", RANDOM.sample(range(10_000, 10_000 + 2 * ROWS), ROWS)),
        ("nr", range(ROWS, 0, -1)),
        ("with gaps", ["" if n % 9 == 4 else n for n in range(ROWS)]),
    ],
)
def test_init_leaves_out_row_numbers(
    tmp_path: Path, title: str, cells: Sequence[object], capsys: pytest.CaptureFixture[str]
) -> None:
    content = table([title, "a", "y"], rows_of(cells, numbers(1), words("u", "v")))

    code, output = init(tmp_path, content, "y")

    assert code == 0
    assert "left out: a" in capsys.readouterr().out
    config = load_config(output)
    (name,) = (name for name, feature in config.features.items() if feature.kind == "ignore")
    kind = "{kind: numeric, fill: mean}"
    named = load_config(output, [f"features={{a: numeric, {name!r}: {kind}}}"])
    (warning,) = check_data(named).config.warnings
    assert warning.startswith(f"{name}: tells rows apart, whole numbers ")
