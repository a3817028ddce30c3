"""Executor: TFX's Tuner, whose `tuner_fn` knows where the execution's results belong."""

from typing import Any

from tfx import types
from tfx.components.tuner import executor
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils

RESULTS_DIR = "results_dir"


class Executor(executor.Executor):
    """Searches as TFX does."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches, and writes what was found.

        Args:
            input_dict: `examples` and `transform_graph`.
            output_dict: `best_hyperparameters` and `tuner_results`.
            exec_properties: TFX's; `tuner_fn` finds the folder of `tuner_results`, which TFX's
                `FnArgs` has no place for, in its `custom_config` as `results_dir`.
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
