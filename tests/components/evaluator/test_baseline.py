"""Which baselines can be evaluated on the examples of a run."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from components.evaluator.baseline import why_incomparable
from trainer.classes import CLASSES_FILE
from trainer.signatures import SIGNATURE_FILE

COLUMNS = {"x": "float32", "word": "string", "count": "int64", "kind": "string"}


def write_model(folder: Path, inputs: Mapping[str, str] | None, classes: Sequence[str]) -> str:
    extra = folder / "assets.extra"
    extra.mkdir(parents=True)
    (extra / CLASSES_FILE).write_text("".join(f"{name}\n" for name in classes))
    if inputs is not None:
        tensors = {name: {"dtype": dtype, "shape": [-1]} for name, dtype in inputs.items()}
        (extra / SIGNATURE_FILE).write_text(json.dumps({"inputs": tensors, "outputs": {}}))
    return str(folder)


@pytest.mark.parametrize(
    ("inputs", "classes", "reason"),
    [
        ({"x": "float32", "word": "string"}, ["a", "b"], None),
        (None, ["a", "b"], None),  # a model of version 0.0 does not say what it reads
        ({"x": "float32"}, ["a", "c"], "the baseline has other classes"),
        (
            {"x": "float32", "count": "float32"},
            ["a", "b"],
            "the baseline reads 'count' as float32, which is int64 now",
        ),
        (
            {"age": "float32"},
            ["a", "b"],
            "the baseline reads 'age', which the data no longer has",
        ),
        (
            {"x": "string", "word": "float32", "p": "string", "q": "string", "r": "string"},
            ["a", "b"],
            "the baseline reads 'x' as string, which is float32 now, 'word' as float32, which is"
            " string now, 'p', which the data no longer has and 2 more",
        ),
    ],
)
def test_why_incomparable(
    tmp_path: Path, inputs: Mapping[str, str] | None, classes: Sequence[str], reason: str | None
) -> None:
    candidate = write_model(tmp_path / "candidate", {"x": "float32"}, ["a", "b"])
    baseline = write_model(tmp_path / "baseline", inputs, classes)

    assert why_incomparable(candidate, baseline, COLUMNS) == reason
