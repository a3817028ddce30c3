"""Driver that lets the cache answer for a push only while the pushed model is the one served."""

import uuid

from tfx.components.util import model_utils
from tfx.dsl.components.base import base_driver
from tfx.orchestration import data_types_utils, metadata
from tfx.orchestration.portable import base_driver as portable_driver
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import driver_output_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import path_utils

from components.pusher.destination import PUSH_ID, push_dir_of
from components.pusher.versions import digest_model, newest_push, rolled_back_version

_NO_PUSH = "none"


class Driver(base_driver.BaseDriver, portable_driver.BaseDriver):  # a component asks for both
    """Adds `push_id` to the execution properties, and so to the cache key."""

    def __init__(self, metadata_handle: metadata.Metadata) -> None:
        """Keeps the handle of MLMD, as both bases do."""
        base_driver.BaseDriver.__init__(self, metadata_handle)
        portable_driver.BaseDriver.__init__(self, metadata_handle)

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Names the push.

        Args:
            execution_info: The execution: model, blessings and `push_destination`.

        Returns:
            The properties with `push_id`: that of the newest version if it is this model, so that
            the cache knows the push; a new one if another model, or none, is being served; one that
            lasts as long as the newest version where that was promoted in place of this model;
            `none` if the model is not blessed, or does not answer as it should.
        """
        result = driver_output_pb2.DriverOutput()
        for name, value in execution_info.exec_properties.items():
            if value is not None:
                data_types_utils.set_metadata_value(result.exec_properties[name], value)
        result.exec_properties[PUSH_ID].string_value = _push_id(execution_info)
        return result


def _push_id(execution_info: data_types.ExecutionInfo) -> str:
    inputs = {
        key: artifact_utils.get_single_instance(found)
        for key, found in execution_info.input_dict.items()
    }
    if not (
        model_utils.is_model_blessed(inputs[standard_component_specs.MODEL_BLESSING_KEY])
        and model_utils.is_infra_validated(inputs[standard_component_specs.INFRA_BLESSING_KEY])
    ):
        return _NO_PUSH
    digest = digest_model(
        path_utils.serving_model_path(inputs[standard_component_specs.MODEL_KEY].uri)
    )
    push_dir = push_dir_of(execution_info.exec_properties)
    _, newest = newest_push(push_dir)
    if newest is not None and newest.model_digest == digest:
        return newest.push_id
    if newest is not None and rolled_back_version(push_dir, digest) is not None:
        return f"{_NO_PUSH}-{newest.push_id}"
    return uuid.uuid4().hex
