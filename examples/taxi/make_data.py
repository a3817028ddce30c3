"""Writes the Chicago taxi trips that come with TFX as the CSV file that this example reads.

Source: `tfx/examples/chicago_taxi_pipeline/data/big_tipper_label/data.csv` of the installed package
tfx; its rows come from https://data.cityofchicago.org/Transportation/Taxi-Trips/wrvz-psew.
"""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

DEFAULT_PATH = Path(__file__).parent / "data" / "taxi.csv"
_SOURCE = "examples/chicago_taxi_pipeline/data/big_tipper_label/data.csv"


def write_taxi(path: Path) -> None:
    """Writes 15,002 trips in TFX's order, with 17 columns.

    `tips` is in dollars; the label `big_tipper` is 1 if `tips` exceeds a fifth of `fare`, else 0.
    Empty cells are missing values.

    Raises:
        ModuleNotFoundError: If tfx is not installed.
    """
    package = find_spec("tfx")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("tfx is not installed; the rows are part of that package")
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(package.origin).parent / _SOURCE, path)


def main() -> None:
    """Writes to the path given as the only argument, by default to `data/` beside this file."""
    write_taxi(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_PATH)


if __name__ == "__main__":
    main()
