"""Warnings of features that identify rows or give the label away."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.__main__ import run_command
from pipeline.data.check import CheckedData, check_data
from pipeline.settings.load import load_config
from tests.helpers.made_tables import init, table

N = 600
RANDOM = random.Random(3)
NOISE = [f"{RANDOM.gauss(0, 1):.4f}" for _ in range(N)]
CLASSES = [RANDOM.choice("abc") for _ in range(N)]
NUMBERS = [f"{RANDOM.gauss(100, 30):.3f}" for _ in range(N)]
LEAK = "alone predicts the label almost perfectly"


def check(
    folder: Path,
    label: Sequence[object],
    features: Mapping[str, tuple[str, Sequence[object]]],
    unlabeled: str = "error",
) -> CheckedData:
    """Checks a table of a label and of features, each with its kind."""
    columns = [label, NOISE, *(cells for _, cells in features.values())]
    rows = list(zip(*columns, strict=True))
    (folder / "data.csv").write_text(table(["y", "noise", *features], rows), encoding="utf-8")
    is_number = label is NUMBERS
    kinds = "".join(f"  {name}: {kind}\n" for name, (kind, _) in features.items())
    (folder / "pipeline_config.yaml").write_text(
        f"name: t\ntask: {'regression' if is_number else 'multiclass'}\n"
        f"data: {{path: data.csv, label: y, unlabeled: {unlabeled}}}\n"
        f"features:\n  noise: numeric\n{kinds}"
        f"evaluation: {{thresholds: {{{'r2' if is_number else 'accuracy'}: {{min: 0}}}}}}\n",
        encoding="utf-8",
    )
    return check_data(load_config(folder / "pipeline_config.yaml"), count_splits=False)


def warned(checked: CheckedData) -> dict[str, str]:
    """Column to what is warned of it, which is the same in the table."""
    in_table = {c.name: c.why for c in checked.summary.columns if c.needs_look}
    assert list(checked.config.warnings) == [f"{name}: {why}" for name, why in in_table.items()]
    return in_table


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("categorical", CLASSES),
        ("categorical", [f"group {label}" for label in CLASSES]),
        ("numeric", [10 * "cab".index(label) for label in CLASSES]),
        ("numeric", ["abc".index(label) + RANDOM.random() / 2 for label in CLASSES]),
        ("auto", CLASSES),
        ("categorical", [f"{label}{RANDOM.randrange(20)}" for label in CLASSES]),
    ],
    ids=["copy", "recoded", "numbered", "ranges", "auto", "finer"],
)
def test_leak_of_classes_is_warned_of(tmp_path: Path, kind: str, cells: Sequence[object]) -> None:
    found = warned(check(tmp_path, CLASSES, {"x": (kind, cells)}))
    assert list(found) == ["x"]
    assert LEAK in found["x"]


@pytest.mark.parametrize(
    "cells",
    [
        NUMBERS,
        [1000 * float(number) for number in NUMBERS],
        [-(float(number) ** 3) for number in NUMBERS],
        [round(float(number)) for number in NUMBERS],
    ],
    ids=["copy", "thousand times", "cubed", "rounded"],
)
def test_leak_of_numbers_is_warned_of(tmp_path: Path, cells: Sequence[object]) -> None:
    found = warned(check(tmp_path, NUMBERS, {"x": ("numeric", cells)}))
    assert list(found) == ["x"]
    assert LEAK in found["x"]


def test_leak_by_missing_values_is_warned_of(tmp_path: Path) -> None:
    closed = [noise if label == "a" else "" for noise, label in zip(NOISE, CLASSES, strict=True)]
    two = ["a" if label == "a" else "b" for label in CLASSES]
    found = warned(check(tmp_path, two, {"x": ("{kind: numeric, fill: mean}", closed)}))
    assert list(found) == ["x"]
    assert "is missing for certain labels only" in found["x"]


@pytest.mark.parametrize("others", [0, 1], ids=["exactly", "nearly"])
def test_values_where_the_label_has_one_are_warned_of(tmp_path: Path, others: int) -> None:
    label = ["" if n % 30 == 7 else CLASSES[n] for n in range(N)]
    paid = ["" if not each else NOISE[n] for n, each in enumerate(label)]
    paid[:others] = [""] * others
    features = {"paid": ("{kind: numeric, fill: mean}", paid)}
    found = warned(check(tmp_path, label, features, unlabeled="skip"))
    if others:
        assert found == {}
    else:
        assert found["paid"].startswith("has a value exactly where the label has one")
        assert list(found) == ["paid"]


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("numeric", RANDOM.sample(range(N), N)),
        ("numeric", [5 * n for n in range(N)]),
        ("bucketized", range(N)),
        ("categorical", [f"u{n:05}x" for n in RANDOM.sample(range(9 * N), N)]),
    ],
    ids=["shuffled", "order number", "bucketized", "words"],
)
def test_row_ids_are_warned_of(tmp_path: Path, kind: str, cells: Sequence[object]) -> None:
    found = warned(check(tmp_path, CLASSES, {"x": (kind, cells)}))
    assert list(found) == ["x"]
    assert found["x"].startswith("tells rows apart, ")


@pytest.mark.parametrize("label", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_honest_features_are_not_warned_of(tmp_path: Path, label: Sequence[str]) -> None:
    good = (
        [RANDOM.gauss(3.5 * "abc".index(each), 1) for each in CLASSES]
        if label is CLASSES
        else [float(each) + RANDOM.gauss(0, 6) for each in label]
    )
    features = {
        "good": ("numeric", good),
        "words": ("categorical", [f"w{RANDOM.randrange(100)}" for _ in range(N)]),
        "count": ("numeric", [RANDOM.randrange(1000) for _ in range(N)]),
        "price": ("numeric", [RANDOM.randrange(10**7) for _ in range(N)]),
        "day": ("datetime", [f"2024-{n // 50 + 1:02}-{n % 28 + 1:02}" for n in range(N)]),
        "left_out": ("ignore", label),
    }
    assert warned(check(tmp_path, label, features)) == {}


def test_few_rows_are_not_warned_of(tmp_path: Path) -> None:
    few = ["a"] * (N - 40) + ["b"] * 40
    RANDOM.shuffle(few)
    assert warned(check(tmp_path, few, {"x": ("categorical", few)})) == {}


def test_init_and_validate_show_leaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(zip(NOISE, [f"is {each}" for each in CLASSES], CLASSES, strict=True))
    _, output = init(tmp_path, table(["noise", "copy", "y"], rows), "y")
    assert f"! copy: {LEAK}" in capsys.readouterr().out
    assert f"# ! 3 words: {LEAK}" in output.read_text(encoding="utf-8")

    assert run_command(["validate", "--config", str(output)]) == 0
    assert f"! copy: {LEAK}" in capsys.readouterr().out
