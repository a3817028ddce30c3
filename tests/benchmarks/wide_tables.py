"""Tables of many columns, and the runs over them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.pipeline_runs import STEPS, Measured, measure_run

N_ROWS = 2000
LABEL = "species"
"""The label that the stock pipeline expects: a whole number."""
_WORDS = np.array([f"word{index}" for index in range(20)])


def write_table(path: Path, n_columns: int, *, words: bool = False, seed: int = 0) -> Path:
    """Writes 2,000 rows of numbers, or of 20 words each; the label follows the first column."""
    random = np.random.default_rng(seed)
    names = [f"c{index}" for index in range(n_columns)]
    if words:
        picks = random.integers(0, len(_WORDS), (N_ROWS, n_columns))
        cells, signal = _WORDS[picks], picks[:, 0] / len(_WORDS) - 0.5
    else:
        numbers = random.normal(size=(N_ROWS, n_columns))
        cells, signal = np.char.mod("%.3f", numbers), numbers[:, 0]
    labels = (signal + random.normal(0, 0.3, N_ROWS) > 0).astype(int).astype(str)
    path.parent.mkdir(parents=True)
    table = np.column_stack([cells, labels])
    lines = [",".join([*names, LABEL]), *map(",".join, table.tolist())]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def run_wide(data: Path, root: Path) -> Measured:
    """Runs this project's pipeline over all columns of the table, tracked."""
    config: dict[str, Any] = {
        "name": "wide",
        "data": {"path": str(data), "label": LABEL},
        "features": "auto",
        "train": {"steps": STEPS},
        "evaluation": {"thresholds": {"accuracy": {"min": 0.1}}},
        "paths": {"root": str(root)},
    }
    path = root.with_suffix(".yaml")
    path.write_text(json.dumps(config), "utf-8")
    return measure_run(["--config", str(path)])
