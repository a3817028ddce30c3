"""CsvExampleGen: makes `tf.Example`s of CSV files, in splits."""

from collections.abc import Mapping

from tfx.components.example_gen import component
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2, range_config_pb2

from components.csv_example_gen import driver, executor
from components.csv_example_gen.options import Options


class CsvExampleGen(component.FileBasedExampleGen):
    """A FileBasedExampleGen that reads CSV with Arrow.

    The examples equal those of TFX's own CsvExampleGen. The split is given by the files, or by a
    hash of the text of the row or of one of its cells. The cache follows the content of the files,
    not their size and modification time.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(
        self,
        input_base: str,
        pattern: str | Mapping[str, str],
        buckets: Mapping[str, int] | None = None,
        *,
        options: Options,
        split_by: str | None = None,
        span: int | None = None,
    ) -> None:
        """Makes the component.

        Args:
            input_base: Glob of the folder of the CSV files.
            pattern: Glob of the files below `input_base`, or split name to the glob of its files.
                May have TFX's placeholders of spans, such as `{SPAN}`.
            buckets: Split name to its number of hash buckets; only with a single pattern.
            options: Dialect, column rules, quarantine budget and findings of the check.
            split_by: Column to hash: rows with equal cells fall into the same split. None hashes
                the whole row.
            span: Span to take; None takes the newest.
        """
        patterns = {"single_split": pattern} if isinstance(pattern, str) else pattern
        super().__init__(
            input_base=input_base,
            input_config=example_gen_pb2.Input(
                splits=[
                    example_gen_pb2.Input.Split(name=name, pattern=glob)
                    for name, glob in patterns.items()
                ]
            ),
            output_config=_output_config(buckets, split_by)
            if buckets
            else example_gen_pb2.Output(),
            range_config=_range_config(span) if span is not None else None,
            custom_config=options.to_custom_config(),
        )


def _output_config(buckets: Mapping[str, int], split_by: str | None) -> example_gen_pb2.Output:
    splits = [
        example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=count)
        for name, count in buckets.items()
    ]
    return example_gen_pb2.Output(
        split_config=example_gen_pb2.SplitConfig(splits=splits, partition_feature_name=split_by)
    )


def _range_config(span: int) -> range_config_pb2.RangeConfig:
    return range_config_pb2.RangeConfig(
        static_range=range_config_pb2.StaticRange(start_span_number=span, end_span_number=span)
    )
