"""Input examples of models, made from statistics."""

import numpy as np
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from tests.helpers.exported_models import COLUMNS
from tracking.store.pyfunc_model import input_example


@pytest.fixture
def statistics() -> statistics_pb2.DatasetFeatureStatisticsList:
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    features = statistics.datasets.add().features
    area = features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
    area.path.step.append("area")
    area.num_stats.median = float(np.float32(5.8))
    rooms = features.add(type=statistics_pb2.FeatureNameStatistics.INT)
    rooms.path.step.append("rooms")
    rooms.num_stats.median = 3.0
    city = features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
    city.path.step.append("city")
    city.string_stats.top_values.add(value="bath", frequency=2)
    city.string_stats.top_values.add(value="york", frequency=1)
    return statistics


def test_input_example_is_a_typical_row(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> None:
    example = input_example(statistics, COLUMNS)

    assert example == {"area": 5.8, "rooms": 3, "city": "bath"}
    assert [type(value) for value in example.values()] == [float, int, str]


def test_input_example_has_the_given_columns(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> None:
    assert input_example(statistics, ["rooms", "absent"]) == {"rooms": 3}
