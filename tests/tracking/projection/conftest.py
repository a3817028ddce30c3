"""A projector of a small run."""

import pytest

from tests.helpers.tracked_run import make_start
from tracking.projection.projector import Projector


@pytest.fixture
def projector() -> Projector:
    return Projector(make_start(), experiment_id="7")
