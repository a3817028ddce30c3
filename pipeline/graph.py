"""The pipeline: one graph of TFX components, from CSV files to a pushed model."""

import hashlib
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components import ExampleValidator, SchemaGen, StatisticsGen, Trainer, Transform
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2, transform_pb2
from tfx.types import BaseChannel, Channel
from tfx.types.standard_artifacts import ExampleStatistics, Model, ModelBlessing

from components.baseline_resolver.strategy import LatestOtherBlessedModelStrategy
from components.csv_example_gen.component import CsvExampleGen
from components.csv_example_gen.inputs import ALL
from components.csv_example_gen.reader import hash_buckets
from components.csv_statistics_gen.component import CsvStatisticsGen
from components.data_gate.component import DataGate
from components.distribution_validator.component import DistributionValidator
from components.distribution_validator.strategy import PreviousStatisticsStrategy
from components.evaluator.component import Evaluator
from components.pusher.component import Pusher
from components.serving_check.component import ServingCheck
from components.tuner.component import Tuner
from pipeline.code_digest import code_digest
from pipeline.config import Config
from pipeline.data_files import find_globs, list_csv_files
from pipeline.evaluation import make_eval_config
from pipeline.mlmd import connection_config
from pipeline.own_code import modules_of
from trainer.config import transform_settings
from trainer.feature_config import raw_types

_HISTOGRAM_BUCKETS = 30
_QUANTILES = 100


def create_pipeline(config: Config) -> Pipeline:
    """Chains the components.

    Args:
        config: The configuration.

    Returns:
        The pipeline, its state below `config.root_dir`.
    """
    settings = config.trainer_settings

    # Reads the CSV files and splits the rows.
    example_gen = _make_example_gen(config)

    # Measures every column of every split, and counts each class of the label.
    statistics_gen = StatisticsGen(
        examples=example_gen.outputs["examples"], stats_options=_stats_options(config)
    )

    # Infers a schema of the train split.
    schema_gen = SchemaGen(
        statistics=statistics_gen.outputs["statistics"],
        exclude_splits=[split for split in config.data.splits if split != "train"],
    )

    # Takes the reviewed schema in its place, where there is one.
    reviewed = _make_reviewed(config, schema_gen)
    schema = (reviewed or schema_gen).outputs["schema"]

    # Holds the statistics against the schema.
    example_validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema
    )

    # Measures how far the data is from the data before, and from a named set, where asked for.
    drift = _make_drift(config, statistics_gen)
    skew = _make_skew(config, statistics_gen)

    # Stops the run where the data is wrong; all that learns waits for it.
    data_gate = _keyed_by_code(
        DataGate(
            statistics=statistics_gen.outputs["statistics"],
            anomalies=example_validator.outputs["anomalies"],
            schema=schema,
            stop_at=config.validation.stop_at,
            is_reviewed=config.data.schema_path is not None,
            label=config.data.label,
            columns=_columns_learnt_from(config),
            drift=drift[-1].outputs["distances"] if drift else None,
            skew=skew[-1].outputs["distances"] if skew else None,
        ),
        "components.data_gate.component",
    )

    # Learns the transformation from the train split, and applies it to train and eval. A test split
    # stays raw: the model is judged on raw rows.
    transform = _keyed_by_code(
        Transform(
            examples=example_gen.outputs["examples"],
            schema=schema,
            splits_config=transform_pb2.SplitsConfig(
                analyze=["train"], transform=["train", "eval"]
            ),
            preprocessing_fn="trainer.preprocessing.preprocessing_fn",
            custom_config={"settings": transform_settings(settings)},
            disable_analyzer_cache=True,
            disable_statistics=True,
        ),
        "trainer.preprocessing",
        *modules_of(settings.model.preprocessing_fn),
    )
    transform.add_upstream_node(data_gate)

    # Finds the model to begin with, where that is asked for.
    base_resolver = _make_base_resolver(config)
    base_model = base_resolver.outputs["model"] if base_resolver else None

    # Searches for the best settings to train with, where that is asked for.
    tuner = _make_tuner(config, transform, base_model)

    # Trains the custom Estimator and exports it as a SavedModel. Its code's digest reaches run_fn,
    # which resumes no training of other code.
    trainer = Trainer(
        run_fn="trainer.run.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema,
        base_model=base_model,
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        train_args=trainer_pb2.TrainArgs(splits=["train"], num_steps=settings.train.steps),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config={
            "settings": _untuned_settings(config),
            "code_digest": code_digest("trainer.run", *modules_of(settings.model.model_fn)),
        },
    )

    # Finds the model to compare with.
    baseline_resolver = Resolver(
        strategy_class=LatestOtherBlessedModelStrategy,
        candidate=trainer.outputs["model"],
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    ).with_id("BaselineResolver")

    # Measures the model on the raw examples, and blesses it if every threshold holds.
    evaluator = _keyed_by_code(
        Evaluator(
            examples=example_gen.outputs["examples"],
            model=trainer.outputs["model"],
            baseline_model=baseline_resolver.outputs["model"],
            schema=schema,
            eval_config=make_eval_config(config),
            split=config.data.judged_split,
        ),
        "components.evaluator.component",
        "components.evaluator.metrics",
    )

    # Asks the exported model as a server would, and holds its answers against the Estimator's.
    serving_check = _keyed_by_code(
        ServingCheck(
            examples=example_gen.outputs["examples"],
            model=trainer.outputs["model"],
            model_run=trainer.outputs["model_run"],
            transform_graph=transform.outputs["transform_graph"],
            split=config.data.judged_split,
            rows=config.push.check_rows,
            tolerance=config.push.tolerance,
            max_milliseconds=config.push.max_milliseconds,
            reference_fn="trainer.reference.predict",
        ),
        "components.serving_check.component",
        "trainer.reference",
    )

    # Publishes the model as a new version if it is blessed by both.
    pusher = _keyed_by_code(
        Pusher(
            model=trainer.outputs["model"],
            model_blessing=evaluator.outputs["blessing"],
            infra_blessing=serving_check.outputs["serving_blessing"],
            push_dir=str(config.push_dir),
        ),
        "components.pusher.component",
    )

    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(config.pipeline_root),
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            *([reviewed] if reviewed else []),
            example_validator,
            *drift,
            *skew,
            data_gate,
            transform,
            *([base_resolver] if base_resolver else []),
            *([tuner] if tuner else []),
            trainer,
            baseline_resolver,
            evaluator,
            serving_check,
            pusher,
        ],
        enable_cache=config.cache,
        metadata_connection_config=connection_config(config),
        beam_pipeline_args=config.beam.pipeline_args,
    )


def _stats_options(config: Config) -> tfdv.StatsOptions:
    """Declares whole numbers that are classes to be categories; of words it changes nothing.

    Of a label that is a number, a histogram is drawn, which ten bars would not do for. Quantiles
    are finer than TFDV's deciles: they carry distances of numbers between data sets.
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


def _make_example_gen(config: Config) -> BaseComponent:
    base, patterns = find_globs(config)
    split = config.data.split
    example_gen = CsvExampleGen(
        input_base=base,
        pattern=patterns.get(ALL, patterns),
        buckets=hash_buckets(split.shares) if ALL in patterns else None,
        split_by=split.by,
        span=config.data.span,
        settings=config.trainer_settings,
        dialect=config.data.csv.dialect,
        budget=config.data.quarantine.budget,
    )
    return _keyed_by_code(example_gen, "components.csv_example_gen.component")


def _make_reviewed(config: Config, schema_gen: BaseComponent) -> BaseComponent | None:
    if config.data.schema_path is None:
        return None
    path = config.resolve(config.data.schema_path)
    reviewed = ImportSchemaGen(schema_file=str(path))
    # TFX keys it by the path alone, and would take an edited schema from the cache.
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    reviewed.spec.exec_properties["content_digest"] = digest
    reviewed.add_upstream_node(schema_gen)  # so that a run tells of its statistics first
    return reviewed


def _make_drift(config: Config, statistics_gen: BaseComponent) -> list[BaseComponent]:
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
        _keyed_by_code(validator, "components.distribution_validator.component"),
    ]


def _make_skew(config: Config, statistics_gen: BaseComponent) -> list[BaseComponent]:
    skew = config.validation.skew
    if skew is None:
        return []
    skew_statistics_gen = CsvStatisticsGen(
        list_csv_files(config.resolve(skew.path), "validation.skew.path"),
        config.data.csv.dialect,
        statistics_gen.outputs["statistics"],
        _stats_options(config),
    ).with_id("SkewStatisticsGen")
    validator = DistributionValidator(
        "skew",
        statistics_gen.outputs["statistics"],
        skew_statistics_gen.outputs["baseline_statistics"],
        skew.columns,
        skew.path,
    ).with_id("SkewValidator")
    return [
        _keyed_by_code(skew_statistics_gen, "components.csv_statistics_gen.component"),
        _keyed_by_code(validator, "components.distribution_validator.component"),
    ]


def _columns_learnt_from(config: Config) -> list[str]:
    named = [*raw_types(config.features), config.data.label, config.data.weight]
    return [name for name in named if name is not None]


def _make_base_resolver(config: Config) -> BaseNode | None:
    if not config.train.warm_start:
        return None
    return Resolver(
        strategy_class=LatestOtherBlessedModelStrategy,
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    ).with_id("BaseModelResolver")


def _make_tuner(
    config: Config, transform: BaseComponent, base_model: BaseChannel | None
) -> BaseComponent | None:
    if config.tuner is None:
        return None
    return Tuner(
        tuner_fn="trainer.tuner.tuner_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        base_model=base_model,
        custom_config={
            "settings": _untuned_settings(config),
            "tuner": config.tuner.model_dump(mode="json"),
            "code_digest": code_digest(
                "trainer.tuner",
                "components.tuner.component",
                *modules_of(config.model.model_fn),
            ),
        },
    )


def _untuned_settings(config: Config) -> dict[str, Any]:
    """Gives what the Trainer is told, but for what a sweep finds in its place."""
    settings = config.trainer_settings.model_dump(mode="json")
    for key in config.tuner.space if config.tuner else ():
        *sections, name = key.split(".")
        inner = settings
        for section in sections:
            inner = inner.get(section) or {}
        inner.pop(name, None)
    return settings


def _keyed_by_code(component: BaseComponent, *modules: str) -> BaseComponent:
    """Puts a digest of a component's code into its properties, and so into its cache key."""
    component.spec.exec_properties["code_digest"] = code_digest(*modules)
    return component
