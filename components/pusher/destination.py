"""Execution properties of Pusher that driver and executor both use."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from tfx.proto import pusher_pb2
from tfx.types import standard_component_specs

PUSH_ID = "push_id"


def push_dir_of(exec_properties: Mapping[str, Any]) -> str:
    """Reads the serving folder from TFX's `push_destination`."""
    destination = json_format.Parse(
        exec_properties[standard_component_specs.PUSH_DESTINATION_KEY],
        pusher_pb2.PushDestination(),
    )
    return str(destination.filesystem.base_directory)
