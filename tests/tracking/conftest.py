"""Trackers that write their artifacts to the folder of the test."""

from pathlib import Path

import pytest

from tests.helpers.tracker_processes import MakeTracker
from tracking.client import Tracker


@pytest.fixture
def make_tracker(tmp_path: Path) -> MakeTracker:
    return lambda tracking_uri: Tracker(tracking_uri, tmp_path / "artifacts")
