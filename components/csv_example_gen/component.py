"""CsvExampleGen: CSV files to split `tf.Example`s."""

from collections.abc import Mapping, Sequence

from google.protobuf import struct_pb2
from tfx.components.example_gen import component
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2

from components.csv_example_gen import driver, executor


class CsvExampleGen(component.FileBasedExampleGen):
    """A FileBasedExampleGen that reads CSV with Arrow.

    Examples are those of TFX's own CsvExampleGen; the split is by a hash of the row's text, and the
    cache follows the files' content rather than their size and modification time.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(
        self,
        input_base: str,
        pattern: str,
        buckets: Mapping[str, int],
        *,
        float_columns: Sequence[str] = (),
    ) -> None:
        """Makes the component.

        Args:
            input_base: Folder of the CSV files.
            pattern: Glob of the files below `input_base`.
            buckets: Split name to its number of hash buckets.
            float_columns: Columns of numbers, float even where all cells of a file are whole.
        """
        split_config = example_gen_pb2.SplitConfig(
            splits=[
                example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=count)
                for name, count in buckets.items()
            ]
        )
        options = struct_pb2.Struct()
        options.update({"float_columns": list(float_columns)})
        custom_config = example_gen_pb2.CustomConfig()
        custom_config.custom_config.Pack(options)
        super().__init__(
            input_base=input_base,
            input_config=example_gen_pb2.Input(
                splits=[example_gen_pb2.Input.Split(name="single_split", pattern=pattern)]
            ),
            output_config=example_gen_pb2.Output(split_config=split_config),
            custom_config=custom_config,
        )
