"""Options of CsvExampleGen beyond TFX's own properties."""

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
    """Options about the files and their columns.

    Attributes:
        rules: The rules of the columns.
        dialect: How the files are written.
        budget: How many rows may be quarantined.
        checked: The findings of the check of the files.
    """

    rules: ColumnRules
    dialect: Dialect
    budget: Budget
    checked: CheckedFiles

    def to_custom_config(self) -> example_gen_pb2.CustomConfig:
        """Packs the options into TFX's property; as texts, since a Struct has no whole numbers."""
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
        """Reads the options from the properties of an execution."""
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
