"""`distances.json`: how far data is from other data, readable without TFDV.

    {"kind": "drift", "baseline": "the data of span 3",
     "distances": [{"column": "age", "measure": "jensen_shannon", "distance": 0.02, "limit": 0.1,
                    "obstacle": null},
                   {"column": "city", "measure": null, "distance": null, "limit": null,
                    "obstacle": "words here, numbers there"}],
     "examples": 2000}

The baseline is null where there is nothing to compare with; then there are no distances. A distance
is from 0 to 1, and null where an obstacle forbids to compare. The limit is null where none is set.
The examples are those of the data that is compared, its train split.
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
