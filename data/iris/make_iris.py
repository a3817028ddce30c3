"""Writes the Iris rows of scikit-learn as the CSV file that the example pipeline reads.

Source: https://scikit-learn.org/stable/datasets/toy_dataset.html#iris-plants-dataset. Its rows are
the same as in R and in Fisher's paper; the UCI repository's copy differs in two rows.
"""

import csv
import sys
from pathlib import Path

from sklearn.datasets import load_iris

HEADER = ("sepal_length", "sepal_width", "petal_length", "petal_width", "species")
DEFAULT_PATH = Path(__file__).parent / "iris.csv"


def write_iris(path: Path) -> None:
    """Writes 150 rows in scikit-learn's order: four lengths in cm, one decimal, and the species."""
    iris = load_iris()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for lengths, species in zip(iris.data, iris.target, strict=True):
            writer.writerow([*(f"{length:.1f}" for length in lengths), iris.target_names[species]])


def main() -> None:
    """Writes to the path given as the only argument, by default beside this file."""
    write_iris(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PATH)


if __name__ == "__main__":
    main()
