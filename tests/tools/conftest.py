"""Puts the folder of the set-up on the path, since its modules import each other from there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
