"""Writes the diabetes patients of scikit-learn as the CSV file that this example reads.

Source: https://scikit-learn.org/stable/datasets/toy_dataset.html#diabetes-dataset. Its rows are
those of Efron, Hastie, Johnstone and Tibshirani, "Least Angle Regression" (2004).
"""

import csv
import sys
from pathlib import Path

from sklearn.datasets import load_diabetes

DEFAULT_PATH = Path(__file__).parent / "data" / "diabetes.csv"


def write_diabetes(path: Path) -> None:
    """Writes 442 patients in scikit-learn's order.

    The columns are ten measurements in their original units (years, kg/m2, mmHg, mg/dl; `sex` is 1
    or 2), and `progression`, the state of the disease a year later, 25 to 346.
    """
    diabetes = load_diabetes(scaled=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*diabetes.feature_names, "progression"])
        for measures, progression in zip(diabetes.data, diabetes.target, strict=True):
            writer.writerow([*(f"{measure:g}" for measure in measures), f"{progression:g}"])


def main() -> None:
    """Writes to the path given as the only argument, by default to `data/` beside this file."""
    write_diabetes(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PATH)


if __name__ == "__main__":
    main()
