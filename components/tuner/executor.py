"""Executor: tells `tuner_fn` the folder of its results, and otherwise does what TFX's does."""

from typing import Any

from tfx import types
from tfx.components.tuner import executor
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils

RESULTS_DIR = "results_dir"


class Executor(executor.Executor):
    """Searches with a `tuner_fn` that knows its results folder."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the search.

        Args:
            input_dict: `examples` and `transform_graph`.
            output_dict: `best_hyperparameters` and `tuner_results`.
            exec_properties: TFX's execution properties. `tuner_fn` gets the folder of
                `tuner_results` as `results_dir` in its `custom_config`, since TFX's `FnArgs` does
                not have it.
        """
        results_dir = artifact_utils.get_single_uri(
            output_dict[standard_component_specs.TUNER_RESULTS_KEY]
        )
        custom_config = json_utils.loads(
            exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY]
        )
        exec_properties = {
            **exec_properties,
            standard_component_specs.CUSTOM_CONFIG_KEY: json_utils.dumps(
                {**custom_config, RESULTS_DIR: results_dir}
            ),
        }
        super().Do(input_dict, output_dict, exec_properties)
