"""Driver: a push is cached only while the pushed model is the one served."""

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


# Components require the first base class, the launcher the second.
class Driver(base_driver.BaseDriver, portable_driver.BaseDriver):
    """Adds `push_id` to the execution properties and thus to the cache key."""

    def __init__(self, metadata_handle: metadata.Metadata) -> None:
        """Initializes both base classes.

        Args:
            metadata_handle: Connection to MLMD.
        """
        base_driver.BaseDriver.__init__(self, metadata_handle)
        portable_driver.BaseDriver.__init__(self, metadata_handle)

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Sets `push_id`, by which the cache tells pushes apart.

        Args:
            execution_info: The execution: model, blessings and `push_destination`.

        Returns:
            The execution properties with `push_id`:

            * the id of the newest version if that is this model, so that its push is cached;
            * an id derived from the newest version if that was promoted in place of this model;
            * a new id if another model is served, or none;
            * `none` if one of the blessings is missing.
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
