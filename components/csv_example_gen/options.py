"""What CsvExampleGen is told beside TFX's own properties."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from google.protobuf import json_format, struct_pb2
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs

from tabular.csv.checked_files import CheckedFiles
from tabular.csv.column_rules import ColumnRules
from tabular.csv.dialect import Dialect
from tabular.csv.quarantine import Budget


@dataclass(frozen=True)
class Options:
    """What is said of the files and of their columns.

    Attributes:
        rules: What the columns must hold.
        dialect: How the files are written.
        budget: How many rows may be put aside.
        checked: What the check of the files has found.
    """

    rules: ColumnRules
    dialect: Dialect
    budget: Budget
    checked: CheckedFiles

    def to_custom_config(self) -> example_gen_pb2.CustomConfig:
        """Writes TFX's property for it. As texts: a Struct would make floats of whole numbers."""
        options = struct_pb2.Struct()
        options.update(
            {
                "rules": self.rules.to_json(),
                "dialect": self.dialect.to_json(),
                "budget": json.dumps(asdict(self.budget)),
                "checked": self.checked.to_json(),
            }
        )
        custom_config = example_gen_pb2.CustomConfig()
        custom_config.custom_config.Pack(options)
        return custom_config

    @classmethod
    def from_properties(cls, exec_properties: Mapping[str, Any]) -> "Options":
        """Reads it from the properties of an execution."""
        custom_config = json_format.Parse(
            exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY],
            example_gen_pb2.CustomConfig(),
        )
        texts = json_format.MessageToDict(custom_config.custom_config)["value"]
        return cls(
            ColumnRules.from_json(texts["rules"]),
            Dialect.from_json(texts["dialect"]),
            Budget(**json.loads(texts["budget"])),
            CheckedFiles.from_json(texts["checked"]),
        )
