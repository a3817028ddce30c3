"""`distances.json`: distances between two data sets, readable without TFDV.

    {"kind": "drift", "baseline": "the data of span 3",
     "distances": [{"column": "age", "measure": "jensen_shannon", "distance": 0.02, "limit": 0.1,
                    "obstacle": null},
                   {"column": "city", "measure": null, "distance": null, "limit": null,
                    "obstacle": "found words, but numbers in that data"}],
     "examples": 2000}

The baseline is null if there is nothing to compare with; then there are no distances. A distance is
from 0 to 1, and null if it cannot be measured; the obstacle says why. The limit is null if none is
set. `examples` is the number of examples in the train split of the data.
"""

import json
from pathlib import Path
from typing import Any

DISTANCES_FILE = "distances.json"


def read_distances(folder: str | Path) -> dict[str, Any]:
    """Reads the distances of a `DataDistances` artifact.

    Args:
        folder: Folder of the artifact.

    Returns:
        The object described above.
    """
    report: dict[str, Any] = json.loads(Path(folder, DISTANCES_FILE).read_text("utf-8"))
    return report
