"""Executor: makes a blessed model the newest served version, atomically."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from pydantic import TypeAdapter
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.pusher import executor
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils

from components.distribution_validator.executor import load
from components.pusher.columns import describe_columns
from components.pusher.destination import PUSH_ID, push_dir_of
from components.pusher.versions import (
    ROLLED_BACK,
    PushRecord,
    digest_model,
    locked,
    newest_push,
    publish,
    rolled_back_version,
)
from serving.models.columns import Column
from trainer.settings.features import Features


class Executor(executor.Executor):
    """Pushes with `publish`; TFX copies files into the folder while a server watches it."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if it is blessed, is not served already, and was not rolled back.

        Args:
            input_dict: `model`, `model_blessing`, `infra_blessing`, `schema` and `statistics`.
            output_dict: `pushed_model`, a copy of the model. Its properties say whether, where and
                as which version the model was pushed, or which version of it was rolled back.
            exec_properties: TFX's `push_destination`; `features`, JSON of the features that have a
                raw column; `push_id`, set by the driver.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        model_dir = self.GetModelPath(input_dict)
        push_dir = push_dir_of(exec_properties)
        digest = digest_model(model_dir)
        with locked(push_dir):
            rolled_back = rolled_back_version(push_dir, digest)
            version, newest = newest_push(push_dir)
            is_served = newest is not None and newest.model_digest == digest
            if rolled_back is None and not is_served:
                record = PushRecord(exec_properties[PUSH_ID], digest)
                columns = _columns(input_dict, exec_properties["features"])
                version = publish(model_dir, push_dir, record, columns)
        if rolled_back is not None:
            self._MarkNotPushed(pushed)
            pushed.set_string_custom_property(ROLLED_BACK, str(rolled_back))
            return
        io_utils.copy_dir(model_dir, pushed.uri)
        self._MarkPushed(pushed, f"{push_dir}/{version}", str(version))


def _columns(input_dict: Mapping[str, list[types.Artifact]], features: str) -> dict[str, Column]:
    """Describes the raw columns by schema and statistics of the run."""
    (schema_path,) = Path(artifact_utils.get_single_uri(input_dict["schema"])).iterdir()
    statistics = load(artifact_utils.get_single_instance(input_dict["statistics"]))
    return describe_columns(
        TypeAdapter(Features).validate_python(json.loads(features)),
        text_format.Parse(schema_path.read_text("utf-8"), schema_pb2.Schema()),
        statistics.datasets[0],
    )
