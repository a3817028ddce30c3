"""Makes the nodes of the graph that are optional or need more than their inputs."""

import hashlib
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.types import BaseChannel, Channel
from tfx.types.standard_artifacts import ExampleStatistics, Model, ModelBlessing

from components.baseline_resolver.strategy import LatestOtherBlessedModelStrategy
from components.csv_example_gen.component import CsvExampleGen
from components.csv_example_gen.options import Options
from components.csv_example_gen.splits import hash_buckets
from components.csv_statistics_gen.component import CsvStatisticsGen
from components.data_gate.component import DataGate
from components.distribution_validator.component import DistributionValidator
from components.distribution_validator.strategy import PreviousStatisticsStrategy
from components.tuner.component import Tuner
from pipeline.data.column_rules import make_data_rules
from pipeline.data.files import find_globs, list_csv_files
from pipeline.data.user_code import modules_of
from pipeline.graph.code_digest import code_digest
from pipeline.settings.config import Config
from tabular.csv.file_patterns import ALL
from trainer.settings.dotted_keys import split_key
from trainer.settings.feature_names import raw_types
from trainer.settings.words import WordsFeature

_HISTOGRAM_BUCKETS = 30
_QUANTILES = 100


def make_stats_options(config: Config) -> tfdv.StatsOptions:
    """Makes TFDV's options: class labels that are whole numbers are counted as categories.

    In a regression, the histogram of the label has more than TFDV's ten buckets, since it is drawn.
    Quantiles are finer than TFDV's deciles, since distances between data sets are computed from
    them.
    """
    if config.task == "regression":
        return tfdv.StatsOptions(
            num_histogram_buckets=_HISTOGRAM_BUCKETS, num_quantiles_histogram_buckets=_QUANTILES
        )
    label = schema_pb2.Feature(
        name=config.data.label,
        type=schema_pb2.INT,
        int_domain=schema_pb2.IntDomain(is_categorical=True),
    )
    return tfdv.StatsOptions(
        schema=schema_pb2.Schema(feature=[label]), num_quantiles_histogram_buckets=_QUANTILES
    )


def make_example_gen(config: Config) -> BaseComponent:
    """Makes the node that reads the files, splits given or by a hash."""
    base, patterns = find_globs(config)
    split = config.data.split
    example_gen = CsvExampleGen(
        input_base=base,
        pattern=patterns.get(ALL, patterns),
        buckets=hash_buckets(split.shares) if ALL in patterns else None,
        split_by=split.by,
        span=config.data.span,
        options=Options(
            rules=make_data_rules(config),
            dialect=config.data.csv.dialect,
            budget=config.data.quarantine.budget,
            checked=config.checked_files,
        ),
    )
    return keyed_by_code(example_gen, "components.csv_example_gen.component")


def make_reviewed(config: Config, schema_gen: BaseComponent) -> BaseComponent | None:
    """Makes the node that imports the reviewed schema; None if there is none."""
    if config.data.schema_path is None:
        return None
    path = config.resolve(config.data.schema_path)
    reviewed = ImportSchemaGen(schema_file=str(path))
    # TFX's cache key has the path only, so that an edited schema would not be read again.
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    reviewed.spec.exec_properties["content_digest"] = digest
    reviewed.add_upstream_node(schema_gen)  # a run then reports its statistics first
    return reviewed


def make_drift(config: Config, statistics_gen: BaseComponent) -> list[BaseComponent]:
    """Makes the nodes that compare with earlier data, if wanted; the last one has the distances."""
    if not config.validation.drift:
        return []
    has_spans = "{" in (config.data.path or "")
    previous = Resolver(
        strategy_class=PreviousStatisticsStrategy,
        config={
            "gate_type": f"{DataGate.__module__}.{DataGate.__qualname__}",
            "has_spans": has_spans,
        },
        current=statistics_gen.outputs["statistics"],
        baseline_statistics=Channel(type=ExampleStatistics),
    ).with_id("PreviousStatistics")
    validator = DistributionValidator(
        "drift",
        statistics_gen.outputs["statistics"],
        previous.outputs["baseline_statistics"],
        config.validation.drift,
        "" if has_spans else "the data before",
    ).with_id("DriftValidator")
    return [
        previous,
        keyed_by_code(validator, "components.distribution_validator.component"),
    ]


def make_skew(config: Config, statistics_gen: BaseComponent) -> list[BaseComponent]:
    """Makes the nodes that compare with a given file, if wanted; the last one has the distances."""
    skew = config.validation.skew
    if skew is None:
        return []
    skew_statistics_gen = CsvStatisticsGen(
        list_csv_files(config.resolve(skew.path), "validation.skew.path"),
        config.data.csv.dialect,
        config.checked_skew_files,
        config.data.label,
        statistics_gen.outputs["statistics"],
        make_stats_options(config),
    ).with_id("SkewStatisticsGen")
    validator = DistributionValidator(
        "skew",
        statistics_gen.outputs["statistics"],
        skew_statistics_gen.outputs["baseline_statistics"],
        skew.columns,
        skew.path,
    ).with_id("SkewValidator")
    return [
        keyed_by_code(skew_statistics_gen, "components.csv_statistics_gen.component"),
        keyed_by_code(validator, "components.distribution_validator.component"),
    ]


def columns_learnt_from(config: Config) -> list[str]:
    """Lists the columns that the model learns from: features, label and weight."""
    named = [*raw_types(config.features), config.data.label, config.data.weight]
    return [name for name in named if name is not None]


def columns_of_words(config: Config) -> list[str]:
    """Lists the columns whose cells are tags or text."""
    return [name for name, kind in config.features.items() if isinstance(kind, WordsFeature)]


def make_base_resolver(config: Config) -> BaseNode | None:
    """Makes the node that finds the model for a warm start; None without a warm start."""
    if not config.train.warm_start:
        return None
    return Resolver(
        strategy_class=LatestOtherBlessedModelStrategy,
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    ).with_id("BaseModelResolver")


def make_tuner(
    config: Config, transform: BaseComponent, base_model: BaseChannel | None
) -> BaseComponent | None:
    """Makes the node that searches for the best settings; None without a sweep."""
    if config.tuner is None:
        return None
    return Tuner(
        tuner_fn="trainer.tuner.tuner_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        base_model=base_model,
        custom_config={
            "settings": untuned_settings(config),
            "tuner": config.tuner.model_dump(mode="json"),
            "code_digest": code_digest(
                "trainer.tuner",
                "components.tuner.component",
                *modules_of(config.model.model_fn),
            ),
        },
    )


def untuned_settings(config: Config) -> dict[str, Any]:
    """Dumps the settings of the trainer, without those that a sweep searches for."""
    settings = config.trainer_settings.model_dump(mode="json")
    for key in config.tuner.space if config.tuner else ():
        *sections, name = split_key(key)[0]
        inner = settings
        for section in sections:
            inner = inner.get(section) or {}
        inner.pop(name, None)
    return settings


def keyed_by_code(component: BaseComponent, *modules: str) -> BaseComponent:
    """Adds a digest of a component's code to its properties and thus to its cache key."""
    component.spec.exec_properties["code_digest"] = code_digest(*modules)
    return component
