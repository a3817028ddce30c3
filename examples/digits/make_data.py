"""Writes the handwritten digits of scikit-learn as the CSV file that this example reads.

Source: https://scikit-learn.org/stable/datasets/toy_dataset.html#optical-recognition-of-handwritten-digits-dataset
"""

import csv
import sys
from pathlib import Path

from sklearn.datasets import load_digits

DEFAULT_PATH = Path(__file__).parent / "data" / "digits.csv"
SIZE = 8
"""Number of rows, and of columns, of a picture."""


def write_digits(path: Path) -> None:
    """Writes 1,797 pictures in scikit-learn's order.

    The columns are 64 pixels, `p00` to `p77` by row and column, from 0 (white) to 16 (black), and
    `digit`.
    """
    digits = load_digits()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = [f"p{row}{column}" for row in range(SIZE) for column in range(SIZE)]
        writer.writerow([*names, "digit"])
        for pixels, digit in zip(digits.data.astype(int), digits.target, strict=True):
            writer.writerow([*pixels, digit])


def main() -> None:
    """Writes to the path given as the only argument, by default to `data/` beside this file."""
    write_digits(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PATH)


if __name__ == "__main__":
    main()
